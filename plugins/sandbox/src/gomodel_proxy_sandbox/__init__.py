"""Deterministic offline models for gomodel-proxy."""
