"""The rules of routing at work: put in force, checked, explained, compared."""
