"""A TDS server for the tests: the protocol for real, PostgreSQL behind it (README.md)."""
