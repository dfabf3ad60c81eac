"""The commands about models that were trained: the registry and the frozen test set."""
