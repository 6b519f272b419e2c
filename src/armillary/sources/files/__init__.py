"""Families of files: one module each, with `describe` and `read`."""
