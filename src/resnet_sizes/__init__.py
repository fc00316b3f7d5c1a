"""Run a published ResNet comparison again and print the article anew from fresh results."""

__version__ = "0.1.0"
