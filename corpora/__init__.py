"""What the project learns from: the taxonomy, its own petitions, and readers for labelled text."""
