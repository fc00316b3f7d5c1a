"""Tests and intervals, without any knowledge of claims."""
