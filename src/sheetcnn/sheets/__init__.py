"""The sheets of a workbook, a room for each: what it says, where it stands, how it looks."""
