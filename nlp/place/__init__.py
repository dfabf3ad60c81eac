"""Place: the addresses that a text names, and the units that cover them."""
