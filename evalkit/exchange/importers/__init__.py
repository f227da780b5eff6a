"""One file a format: `read(sources, options)` returns runs, or raises one DataError that names all that is wrong."""
