"""The audit of an article by itself: its numbers against each other, and against devices."""

from resnet_sizes.evidence.audit.build import audit

__all__ = ["audit"]
