"""Decisions for the outside: on the command line, in streams and over HTTP."""
