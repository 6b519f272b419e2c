"""Recipes that appear under every leaf that fits, whatever its mission."""
