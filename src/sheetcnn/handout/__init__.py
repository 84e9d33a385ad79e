"""Handouts: exercises made of any network, their answer key, and their grading."""
