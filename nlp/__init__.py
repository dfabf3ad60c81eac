"""From the text of a petition to a decision: pure functions of text, model and rules."""
