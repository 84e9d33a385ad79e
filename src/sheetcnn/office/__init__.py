"""LibreOffice, shut in: it recalculates workbooks, and reaches nothing else."""
