"""A layer: its kernels, its steps, its maps."""
