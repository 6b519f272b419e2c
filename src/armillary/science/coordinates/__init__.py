"""Frames of reference near the Earth and the Sun, and models of the geomagnetic field."""
