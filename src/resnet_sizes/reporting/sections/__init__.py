"""What each section of the article says."""
