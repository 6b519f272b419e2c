"""The doors: Python desk, command line, web."""
