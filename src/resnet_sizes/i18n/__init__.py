"""Numbers, dates and names by language."""
