"""Guard: whether a plan may be applied by itself, or a person has to look at it first."""
