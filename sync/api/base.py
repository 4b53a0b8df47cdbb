"""What every address of the API has: who asks and for which site, limits of bodies, strict fields, ETags."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

from django.core.validators import ProhibitNullCharactersValidator
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sync.api.authentication import site_of_token
from sync.api.problems import QueryInvalid
from sync.commandfiles.storage import file_storage
from sync.errors import ApiRefused
from sync.messages import text_of
from sync.models import ApiToken, MoodleSite, Scope
from sync.models.site import MAIN_SITE
from sync.people.rights import pages_about
from sync.runs.asking import asking_by
from sync.runs.options import api_requests_per_minute
from sync.runs.rights_audit import acting

KILOBYTE = 1000
# Rows by JSON; whoever has more sends a file.
LARGEST_JSON = 2000 * KILOBYTE
READS = {"GET": (Scope.READ,)}

Strict = TypeVar("Strict", bound="StrictSerializer")


class StrictSerializer(serializers.Serializer):
    """Fields of a request: one that isn't known is refused, not passed over."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = [name for name, field in self.fields.items() if not field.read_only]
            unknown = [name for name in data if name not in known]
            if unknown:
                said = text_of("field_unknown", {"known": ", ".join(known) or "-"})
                raise serializers.ValidationError(
                    {str(name)[:100]: serializers.ErrorDetail(said, "field_unknown") for name in unknown[:20]}
                )
        return super().to_internal_value(data)


class OptionsField(serializers.DictField):
    """Options by name, with values of any kind; a NUL is a character that our database can't keep."""

    child = serializers.JSONField()

    def to_internal_value(self, data: Any) -> Any:
        values = super().to_internal_value(data)
        if any("\0" in text for text in _texts_of(values)):
            raise serializers.ValidationError(ProhibitNullCharactersValidator.message, "null_characters_not_allowed")
        return values


def _texts_of(value: Any) -> Iterator[str]:
    """Yield every text in a value of JSON. It is no deeper than the parser lets it be."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from _texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_of(inner)


class NumberField(serializers.IntegerField):
    """The number of a record: no database has larger ones."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, **kwargs)


class ApiView(APIView):
    """One address of the API.

    Shape: scopes: method -> scopes of which the token must have one; largest_body: in bytes
    """

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = READS
    largest_body: ClassVar[int] = LARGEST_JSON
    requests_left: int | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # Who changes rights is the person of the token; nothing before `initial` knows them.
        person = SimpleLazyObject(lambda: self.request.user)
        with pages_about(kwargs.get("site", MAIN_SITE)), acting(person), asking_by(lambda: self.request.auth):
            answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises: ApiRefused"""
        super().initial(request, *args, **kwargs)
        if _length(request) > self.largest_body:
            raise ApiRefused("body_too_large", limit=self.largest_body // KILOBYTE)

    def check_permissions(self, request: Request) -> None:
        """Raises: ApiRefused; Throttled: what is refused counts as well"""
        super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, request: Request) -> None:
        """Do nothing: it is done before the rights are asked for."""

    @property
    def token(self) -> ApiToken:
        token: ApiToken = self.request.auth
        return token

    @property
    def site(self) -> MoodleSite:
        """The site of the address, which is one of the token's; where the address has none, the one where the token was made."""
        slug = self.kwargs.get("site")
        return self.token.site if slug is None else site_of_token(self.token, slug)

    def sent(self, kind: type[Strict]) -> dict[str, Any]:
        """Return the fields of the body, checked. Raises: ValidationError"""
        form = kind(data=self.request.data)
        form.is_valid(raise_exception=True)
        checked: dict[str, Any] = form.validated_data
        return checked

    def asked(self, kind: type[Strict]) -> dict[str, Any]:
        """Return the parameters of the address, checked. Raises: QueryInvalid"""
        form = kind(data=self.request.query_params)
        if not form.is_valid():
            raise QueryInvalid(form.errors)
        checked: dict[str, Any] = form.validated_data
        return checked

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Let a change begin only while what it is of is as who asks has read it (If-Match), and one such change at a time.

        Shape: what GET answers at the same address is compared. Raises: ApiRefused
        """
        wanted = [one.strip() for one in self.request.headers.get("If-Match", "*").split(",")]
        if wanted == ["*"]:
            yield
            return
        with transaction.atomic():
            MoodleSite.objects.select_for_update().get(pk=self.site.pk)
            if self._current_tag() not in wanted:
                raise ApiRefused("changed_meanwhile")
            yield

    def _current_tag(self) -> str | None:
        """Return the ETag of what is there; None = nothing is."""
        try:
            read: Response = self.get(self.request, **self.kwargs)
        except Http404:
            return None
        return _tag_of(JSONRenderer().render(read.data))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        final: HttpResponseBase = super().finalize_response(request, response, *args, **kwargs)
        final["Content-Language"] = get_language() or "en"
        if self.requests_left is not None:
            final["RateLimit-Limit"] = str(api_requests_per_minute())
            final["RateLimit-Remaining"] = str(self.requests_left)
        if request.method in ("GET", "HEAD") and final.status_code == 200 and isinstance(final, Response):
            final.add_post_render_callback(self._tagged)
        return final

    def _tagged(self, response: Response) -> HttpResponse | None:
        """Return an answer with its ETag; 304 where who asks has it already."""
        tag = response.headers.get("ETag") or _tag_of(response.content)
        response["ETag"] = tag
        found: HttpResponse | None = get_conditional_response(self.request._request, etag=tag, response=response)  # noqa: SLF001
        return found


class NoSuchAddress(ApiView):
    """What isn't there, whoever asks."""

    schema = None

    def initial(self, *_args: Any, **_kwargs: Any) -> None:
        raise Http404


def sent_file(request: Request, storage_key: str, name: str, sha256: str = "") -> HttpResponseBase:
    """Return a kept file; 304 where who asks has it already. Shape: sha256: of its bytes, "" = what names it tells it apart

    Raises: Http404; ApiRefused if it isn't kept any more
    """
    tag = f'"{sha256 or hashlib.sha256(storage_key.encode()).hexdigest()}"'
    plain = request._request  # noqa: SLF001
    unchanged: HttpResponseBase | None = get_conditional_response(plain, etag=tag)
    if unchanged is not None:
        unchanged["ETag"] = tag
        return unchanged
    try:
        content: Any = file_storage().open(storage_key, "rb")
    except FileNotFoundError:
        raise ApiRefused("file_gone") from None
    answer = FileResponse(content, as_attachment=True, filename=name, content_type="application/octet-stream")
    answer["ETag"] = tag
    return answer


def _tag_of(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _length(request: Request) -> int:
    """Return how long the body is. Raises: ParseError where that can't be said"""
    text = str(request.META.get("CONTENT_LENGTH") or "0").strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise ParseError("Content-Length")
    return int(text)
