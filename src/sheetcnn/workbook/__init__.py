"""The .xlsx: draft with openpyxl, its grids poured in as a stream of rows."""
