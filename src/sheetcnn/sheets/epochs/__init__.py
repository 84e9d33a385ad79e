"""Recorded epochs to choose from."""
