"""The network after a step, on a hidden sheet."""
