"""Files from the network, verified."""
