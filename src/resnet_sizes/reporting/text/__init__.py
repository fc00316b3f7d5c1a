"""Words, values and Markdown."""
