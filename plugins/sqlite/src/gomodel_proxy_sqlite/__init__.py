"""SQLite storage for gomodel-proxy."""
