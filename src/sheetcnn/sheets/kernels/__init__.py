"""Kernels to choose from."""
