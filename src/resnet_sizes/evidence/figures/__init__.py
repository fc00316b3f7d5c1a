"""The figures of the report, each in a module of its own."""
