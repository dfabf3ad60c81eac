"""Events out: what happened, told to those who asked to be told."""
