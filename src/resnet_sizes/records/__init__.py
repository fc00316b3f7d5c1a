"""The shapes of all files that cross a stage. Leftmost package: imports no other stage."""
