"""The chief's page: how much there is of what, where, whether it was decided rightly, and what became of it."""
