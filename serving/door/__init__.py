"""The door: what a connection and a request may be before anything looks at it."""
