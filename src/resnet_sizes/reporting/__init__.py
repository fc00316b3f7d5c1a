"""Evidence → .qmd → HTML and PDF."""
