"""Batches: backlogs that are sent by HTTP, decided chunk by chunk by workers that share a store and a folder."""
