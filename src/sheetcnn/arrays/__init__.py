"""Arrays of numbers that a workbook draws: where they stand, what they are computed from, what their cells see."""
