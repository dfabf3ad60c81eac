"""Rows: tables of any size read row by row, as they stand."""
