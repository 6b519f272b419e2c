"""Events: scores one to one, controls that need no skill, and how probabilities become intervals."""
