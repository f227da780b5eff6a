"""A package, not a bare folder: Python prefers any installed package called `tests` to a folder without this file."""
