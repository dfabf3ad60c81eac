"""The data desk: labelled tickets come in, models are retrained, compared, promoted and taken back."""
