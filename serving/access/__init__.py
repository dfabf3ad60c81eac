"""Access: keys, scopes, limits, and who may do what."""
