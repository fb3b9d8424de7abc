"""Batches: taken in, executed or handed to vendors, settled, ended."""
