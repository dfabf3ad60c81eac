"""Adapters: the languages that existing hotline systems speak already."""
