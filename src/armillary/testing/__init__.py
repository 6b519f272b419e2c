"""Contract tests, given away to who writes a source or a mission."""
