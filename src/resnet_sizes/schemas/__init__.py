"""The shapes of all files that cross a stage, and where they lie."""
