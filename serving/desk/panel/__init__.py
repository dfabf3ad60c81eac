"""The panel: what a decision says, within the agent desktop that a hotline has already."""
