"""The picture as numbers."""
