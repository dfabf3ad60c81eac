"""From labelled petitions to a model: fit, calibrate, evaluate."""
