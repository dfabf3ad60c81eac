"""Backlogs: millions of tickets decided anew, as a change that can be reviewed and taken back."""
