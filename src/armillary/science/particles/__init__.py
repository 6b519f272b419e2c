"""Velocity distributions: what an instrument measured cell by cell, and what follows from it."""
