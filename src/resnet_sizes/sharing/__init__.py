"""Results for others: archives, their verification, and comparisons."""
