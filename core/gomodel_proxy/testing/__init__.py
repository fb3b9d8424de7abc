"""The kit for those who write plugins: fixtures, suites to inherit, servers that misbehave."""
