"""The .xlsx: drafted with openpyxl, its grids poured in as a stream of rows."""
