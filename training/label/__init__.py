"""Labelling: what to label next, the files of label tools, and what answers to one petition add up to."""
