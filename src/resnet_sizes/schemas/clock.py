"""Moments as the records hold them."""

from datetime import UTC, datetime


def now() -> str:
    """The moment in UTC, ISO 8601."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
