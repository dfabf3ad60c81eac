"""The operator's desk: what a caller says is read while it is typed, and settled with a key."""
