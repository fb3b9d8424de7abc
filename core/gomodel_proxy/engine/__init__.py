"""Policy: who may ask, where a call goes, what it cost. No sockets, no HTTP library."""
