"""Sinks: the formats of files that answered rows are written in."""
