"""Reading archives that may come from strangers."""
