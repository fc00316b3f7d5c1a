"""From statistics to verdicts."""
