"""What the added sheets say, each cell as a formula and in NumPy: written by `workbook`, checked by `checker`."""
