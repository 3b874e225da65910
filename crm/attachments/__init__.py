"""Files at rows: stored under random names, served so that they cannot run as pages."""
