"""Every cell of a workbook against NumPy."""
