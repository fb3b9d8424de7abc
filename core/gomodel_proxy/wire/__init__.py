"""Bytes in, bytes out: no clock, no socket, no task."""
