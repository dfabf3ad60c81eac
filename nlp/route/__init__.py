"""Route: from a decided petition to a unit, a chain, a way and a due time, by rules that are data."""
