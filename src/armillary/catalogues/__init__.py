"""Rows that say what was found: events, objects, areas."""
