"""Answers as JSON and as XML, like those of Moodle's REST server. Mirrors: webservice_rest_server"""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

from django.http import HttpResponse

from sync.api.moodle_protocol.errors import ServiceError
from sync.api.moodle_protocol.kinds import Description, Many, One, Value

JSON, XML = "json", "xml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" ?>\n'
_QUOTES = {'"': "&quot;"}
# What no XML may hold, not even escaped.
_NO_XML = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF))


def answer_result(result: Any, description: Description | None, form: str) -> HttpResponse:
    """Return what came of a function. Shape: description: None = it returns nothing; form: JSON or XML"""
    if form == JSON:
        return _response(json.dumps(None if description is None else json_value(result, description)), form)
    body = "" if description is None else _xml(result, description)
    return _response(f"{_HEAD}<RESPONSE>\n{body}</RESPONSE>\n".translate(_NO_XML), form)


def answer_error(error: ServiceError, form: str) -> HttpResponse:
    """Return an error. The status is 200: so Moodle's callers expect it, and look into the body."""
    if form == JSON:
        content = {"exception": error.exception, "errorcode": error.errorcode, "message": error.message}
        return _response(json.dumps(content), form)
    return _response(
        f'{_HEAD}<EXCEPTION class="{escape(error.exception, _QUOTES)}">\n<ERRORCODE>{escape(error.errorcode)}</ERRORCODE>\n'
        f"<MESSAGE>{escape(error.message.translate(_NO_XML))}</MESSAGE>\n</EXCEPTION>\n",
        form,
    )


def json_value(result: Any, description: Description) -> Any:
    """Return a result with the keys that are declared, in their order; optional ones that it lacks are left out."""
    if isinstance(description, Many):
        return [json_value(each, description.content) for each in result]
    if isinstance(description, One):
        return {
            name: json_value(result[name], inner)
            for name, inner in description.keys.items()
            if _is_there(result, name, inner)
        }
    return result


def _is_there(result: Any, name: str, description: Description) -> bool:
    return name in result or description.is_required


def _xml(result: Any, description: Description) -> str:
    if isinstance(description, Value):
        if result is None:
            return '<VALUE null="null"/>\n'
        text = str(int(result)) if isinstance(result, bool) else str(result)
        return f"<VALUE>{escape(text, _QUOTES)}</VALUE>\n"
    if isinstance(description, Many):
        inner = "".join(_xml(each, description.content) for each in result or ())
        return f"<MULTIPLE>\n{inner}</MULTIPLE>\n"
    inner = "".join(
        f'<KEY name="{name}">{_xml(result.get(name), each)}</KEY>\n' for name, each in description.keys.items()
    )
    return f"<SINGLE>\n{inner}</SINGLE>\n"


def _response(body: str, form: str) -> HttpResponse:
    return HttpResponse(body, content_type=f"application/{form}" if form == XML else "application/json; charset=utf-8")
