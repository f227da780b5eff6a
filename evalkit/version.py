"""The version, for whoever writes it down: below everything, so that nothing imports the package's front."""

__version__ = "0.1.0"
