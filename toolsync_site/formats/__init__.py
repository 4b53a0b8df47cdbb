"""How dates are written where a language alone doesn't say it."""
