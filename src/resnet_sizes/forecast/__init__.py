"""What runs will cost on this device: measured steps, multiplied. It decides no result."""
