"""The Django project around the app `sync`."""

from __future__ import annotations

import gc

# A chunk is some 100,000 tuples and dictionaries, none of which refers to itself. By Python's own thresholds they are looked
# at again after each 700 new ones: a third of the processor's time of a run that changes nothing.
gc.set_threshold(50_000, 20, 50)
