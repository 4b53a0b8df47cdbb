"""The two addresses of Moodle's web services that callers of the plugin use."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from typing import Any

from django.contrib.auth.models import User
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.utils.translation import activate, get_language, override
from django.utils.translation.trans_real import get_languages
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import Throttled

from sync.api.authentication import authenticated
from sync.api.moodle_protocol.answers import JSON, XML, answer_error, answer_result
from sync.api.moodle_protocol.calls import Call
from sync.api.moodle_protocol.drafts import keep_drafts
from sync.api.moodle_protocol.errors import ServiceError, access_denied, invalid_parameter, of_coded
from sync.api.moodle_protocol.form_fields import nested
from sync.api.moodle_protocol.kinds import checked
from sync.api.moodle_protocol.registry import ALIASES, FUNCTIONS, READS
from sync.api.moodle_protocol.requests import Incoming
from sync.errors import CodedError, TokenRefused
from sync.messages import text_of
from sync.models import ApiToken, Scope
from sync.moodle.db.identifiers import is_id
from sync.notifications.readers import preferences_of
from sync.people.rights import may
from sync.people.tokens import count_request
from sync.runs.asking import asking_by
from sync.runs.options import api_requests_per_minute, run_limits
from sync.runs.rights import MANAGE_FILES
from sync.runs.rights_audit import acting
from sync.runs.selectors import processors_for

# Fields of the protocol itself; the functions never see them.
_OF_PROTOCOL = (
    "wstoken", "wsfunction", "moodlewsrestformat", "moodlewssettingraw", "moodlewssettingfileurl", "moodlewssettingfilter",
    "moodlewssettinglang", "moodlewssettingtimezone",
)  # fmt: skip

DRAFT = "draft"

logger = logging.getLogger(__name__)


# Tokens only: no cookie of a browser opens it.
@csrf_exempt
@require_http_methods(["GET", "POST"])
def rest_server(request: HttpRequest) -> HttpResponse:
    """Carry out a function. Mirrors: webservice/rest/server.php"""
    try:
        incoming = Incoming(request)
        form = JSON if incoming.peek("moodlewsrestformat") == JSON else XML
        language = _language(incoming)
    except ServiceError as error:
        return answer_error(error, XML)
    with closing(incoming), override(language):
        return _rest_answer(request, incoming, form)


def _rest_answer(request: HttpRequest, incoming: Incoming, form: str) -> HttpResponse:
    try:
        token = _token(request, incoming.peek("wstoken"))
        activate(_language(incoming, token.person))
        fields = nested(incoming.fields())
        protocol = {name: fields.pop(name, "") for name in _OF_PROTOCOL}
        name = _function_name(protocol["wsfunction"])
        function, call = FUNCTIONS[name], Call(token, name)
        call.check_scopes(function.scopes)
        if function.scopes != READS:
            _check_in_use(token)
        if function.file_type:
            call.check_runs(function.file_type)
        with acting(token.person), asking_by(lambda: token):
            result = function.run(call, **checked(function.parameters, fields))
        return answer_result(result, function.returns, form)
    except ServiceError as error:
        return answer_error(error, form)
    except CodedError as error:
        return answer_error(of_coded(error), form)
    except Exception:
        logger.exception("a function of the web services failed")
        got_request_exception.send(sender=None, request=request)
        return answer_error(ServiceError(text_of("service_failed"), "internalerror"), form)


@csrf_exempt
@require_http_methods(["POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Keep files under a draft number. Mirrors: webservice/upload.php"""
    try:
        incoming = Incoming(request)
        language = _language(incoming)
    except ServiceError as error:
        return answer_error(error, JSON)
    with closing(incoming), override(language):
        return _upload_answer(request, incoming)


def _upload_answer(request: HttpRequest, incoming: Incoming) -> HttpResponse:
    try:
        token = _token(request, incoming.peek("token"))
        activate(_language(incoming, token.person))
        _check_uploads(token)
        _check_in_use(token)
        _check_area(incoming.peek("filearea") or DRAFT)
        itemid = incoming.peek("itemid")
        with acting(token.person):
            files = incoming.files(run_limits().max_upload_megabytes)
            kept = keep_drafts(token.site, token.person, files, int(itemid) if is_id(itemid) else 0)
        return HttpResponse(json.dumps(kept), content_type="application/json; charset=utf-8")
    except ServiceError as error:
        return answer_error(error, JSON)
    except CodedError as error:
        return answer_error(of_coded(error), JSON)


def _language(incoming: Incoming, person: User | None = None) -> str:
    """Return the language of an answer: the one that is asked for, else that of the person, else what the request accepts.

    Mirrors: external_settings::get_lang(); a language that isn't there is passed over
    """
    asked = incoming.peek("moodlewssettinglang").lower().replace("_", "-").partition("-")[0]
    known = get_languages()
    chosen = preferences_of(person).language if person is not None else ""
    return next((code for code in (asked, chosen) if code in known), get_language() or "en")


def _function_name(given: Any) -> str:
    """Return the name of a function that there is. Raises: ServiceError"""
    if not given or not isinstance(given, str):
        raise invalid_parameter("Missing function name")
    name = ALIASES.get(given, given)
    if name not in FUNCTIONS:
        text = text_of("service_function_unknown", {"name": given[:100]})
        raise ServiceError(text, "invalidrecord", "dml_missing_record_exception")
    return name


def _check_uploads(token: ApiToken) -> None:
    """Raises: ServiceError"""
    may_run = processors_for(token.person, site=token.site)
    if Scope.PLAN not in token.scopes or not may_run or not may(token.person, MANAGE_FILES, token.site):
        raise access_denied("Web service file upload needs a token with plan")


def _check_in_use(token: ApiToken) -> None:
    """Raises: ServiceError for a site that is out of use: nothing is changed there"""
    if not token.site.in_use:
        raise ServiceError(text_of("site_out_of_use", {"site": token.site.name}), "site_out_of_use")


def _check_area(area: str) -> None:
    """Raises: ServiceError"""
    if area != DRAFT:
        raise ServiceError(text_of("service_area_wrong", {"area": DRAFT}), "error", "file_exception")


def _token(request: HttpRequest, secret: str) -> ApiToken:
    """Return the token of a request, and count it. Raises: ServiceError"""
    if not secret:
        raise ServiceError(text_of("service_token_missing"), "invalidtoken")
    try:
        _person, token = authenticated(request, secret)
    except TokenRefused as error:
        reason = text_of(error.code, error.params)
        raise ServiceError(text_of("service_token_wrong", {"reason": reason}), "invalidtoken") from None
    except Throttled:
        raise ServiceError(text_of("service_wrong_tokens"), "toomanyrequests") from None
    if count_request(token, api_requests_per_minute()) is None:
        raise ServiceError(text_of("service_too_many_calls"), "toomanyrequests")
    return token
