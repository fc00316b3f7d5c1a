"""The command line: one small module per command or kind of command."""
