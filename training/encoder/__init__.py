"""The encoder: fetched once, fine-tuned with torch, exported to be served without it."""
