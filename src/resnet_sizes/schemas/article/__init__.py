"""What an article printed, claimed, and left open."""
