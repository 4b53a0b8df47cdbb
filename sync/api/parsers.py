"""JSON as it should be: no name twice, no NaN, no half characters; whatever else comes is a refusal, never a fault of ours."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

# Nothing that the API takes is nested deeper; what is can't be walked through by those who look at it.
MOST_DEPTH = 20


class StrictJSONParser(BaseParser):
    """Reads `application/json`, always as UTF-8."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return what the body says. Raises: ParseError"""
        try:
            content = json.loads(
                stream.read().decode(), object_pairs_hook=_each_once, parse_constant=_no_number, parse_float=_finite
            )
            _check_depth(content)
            # A half of a pair of code units is a character that nothing can store.
            json.dumps(content, ensure_ascii=False).encode()
        except UnicodeError:
            raise ParseError(_("it is not UTF-8 throughout.")) from None
        except RecursionError:
            raise ParseError(_("it is nested too deeply.")) from None
        except ValueError as error:
            raise ParseError(str(error)[:200]) from None
        return content


def _each_once(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((name, _count),) = Counter(name for name, _value in pairs).most_common(1)
        raise ValueError(_("“%(name)s” is there twice.") % {"name": name[:50]})
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(_("%(name)s is no number of JSON.") % {"name": name})


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(_("%(name)s is no number of JSON.") % {"name": text[:50]})
    return number


def _check_depth(content: Any) -> None:
    """Raises: RecursionError"""
    level = [content]
    for _depth in range(MOST_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, list | dict)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise RecursionError
