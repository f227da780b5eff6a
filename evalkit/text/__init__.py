"""Text for readers: one table and its renderers, how figures are written, which characters are safe to show."""
