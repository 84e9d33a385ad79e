"""What a workbook is of."""
