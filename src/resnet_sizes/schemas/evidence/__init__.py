"""Values, verdicts and the audit."""
