"""The operator's command line: `scripts/ajo`."""
