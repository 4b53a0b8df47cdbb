"""Undo: rows of the journal of an earlier run are brought back to what they were."""
