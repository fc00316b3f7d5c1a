"""From text to HTML and PDF."""
