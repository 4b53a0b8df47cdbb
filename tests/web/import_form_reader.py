"""What the form of a page would send, read from its HTML as a browser does."""

from __future__ import annotations

from html.parser import HTMLParser


class _FormReader(HTMLParser):
    """Collects the fields of one form. Shape: form: its id"""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._form = form
        self._is_inside = False
        self._select = ""
        self._option: str | None = None
        self._is_chosen = False
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "form":
            self._is_inside = given.get("id") == self._form
        elif not self._is_inside:
            return
        elif (
            tag == "input" and name and (given.get("type") not in ("checkbox", "radio", "submit") or "checked" in given)
        ):
            self.fields[name] = given.get("value") or ("on" if given.get("type") == "checkbox" else "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            self._option, self._is_chosen = given.get("value"), "selected" in given
            if self._option is not None and (self._is_chosen or self._select not in self.fields):
                self.fields[self._select] = self._option
        elif tag == "textarea":
            self._area, self.fields[name] = name, ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] += data
        elif self._select and self._option is None and self._is_chosen:
            self.fields[self._select] = data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "select":
            self._select = ""
        elif tag == "option":
            self._option, self._is_chosen = "", False
        elif tag == "textarea":
            self._area = ""


def sent_by(text: str, form: str = "import-form") -> dict[str, str]:
    """Return name -> value of what a form would send, its buttons left out."""
    reader = _FormReader(form)
    reader.feed(text)
    return reader.fields
