"""The audit: who did what, when, and with what outcome, in a chain that shows every change."""
