"""Found before the real one, which serves the tests only: no installation brings it.

structlog takes it where it finds it, and with it come seventy modules.
"""

raise ImportError("not in an installation")
