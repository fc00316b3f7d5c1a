"""Repeat a published ResNet comparison and print the article again from fresh results."""

__version__ = "0.1.0"
