"""Pictures to choose from."""
