"""The stages of a run, one file each, in the order `pipeline.py` tells them."""
