"""The store: tables, engines for SQLite and PostgreSQL, and their migrations."""
