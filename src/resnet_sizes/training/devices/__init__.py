"""Which device a run computes on, and who else does."""
