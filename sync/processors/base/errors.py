"""The one way in which a processor rejects a row."""

from __future__ import annotations

from typing import Any


class RowError(Exception):
    """A row can't be carried out. Shape: code: of sync.messages; params: those of its text, and `column`: the cell at fault"""

    def __init__(self, code: str, column: str = "", **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = {**params, "column": column}
