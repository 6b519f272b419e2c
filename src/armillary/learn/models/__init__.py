"""Models with one door: `make_model` gives anything that has `fit` and `predict`, by name."""
