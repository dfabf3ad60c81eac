"""Databases: tables and queries as what a backlog is read from, written to, changed in place, and put back."""
