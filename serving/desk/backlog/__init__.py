"""The backlog desk: files and tables of old tickets, tried first, looked at, changed, and taken back."""
