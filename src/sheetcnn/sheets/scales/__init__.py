"""Which colours every array has, and the bars that tell."""
