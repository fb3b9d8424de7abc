"""Sockets: the server's door, the fast lane, aiohttp's routes, and the ways out."""
