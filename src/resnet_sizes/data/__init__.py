"""Images from several sources → one verified tensor file."""
