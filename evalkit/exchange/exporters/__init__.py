"""One file a format: `write(run, …)` returns file contents by relative path ("" where the format is one file)."""
