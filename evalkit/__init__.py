"""evalkit: multilingual win-rate evaluation."""

__version__ = "0.1.0"
