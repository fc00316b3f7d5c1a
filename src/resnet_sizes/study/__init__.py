"""Configuration → resolved study and one run file a run."""
