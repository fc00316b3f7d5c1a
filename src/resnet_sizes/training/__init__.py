"""One run file and a dataset → metrics, predictions and an epoch log."""
