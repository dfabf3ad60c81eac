"""Calls as they are spoken."""
