"""Translation: what must survive it (code, links, placeholders) is masked, and checked when it comes back."""
