"""Whether a device does what training asks of it, checked in minutes."""
