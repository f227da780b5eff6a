"""The command line: one file a command. Parse, call, print; the only place that prints."""
