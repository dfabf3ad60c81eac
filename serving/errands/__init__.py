"""Errands: what people have this machine do from the pages, one at a time, each in a process of its own."""
