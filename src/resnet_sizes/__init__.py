"""Repeat a published comparison of neural networks and print the article again."""

__version__ = "0.1.0"
