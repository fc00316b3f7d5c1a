"""Configuration → resolved study and one run file per run."""
