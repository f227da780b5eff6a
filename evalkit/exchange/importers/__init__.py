"""One file a format: its name is the format's, its first line the help, `read(sources, options)` returns the runs."""
