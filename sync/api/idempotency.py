"""The header Idempotency-Key: a request that is sent again, because its answer was lost, is answered and not done again."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.response import Response

from sync.api.base import ApiView
from sync.errors import ApiRefused
from sync.models import KeptAnswer

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# Who has claimed a request for so long without an end has died; its database transaction with it.
_DEAD_AFTER = timedelta(minutes=10)


class Answer(NamedTuple):
    """What a request came to. Shape: location: address of what was made or begun, "" = of nothing"""

    body: dict[str, Any]
    status: int = HTTPStatus.OK
    location: str = ""

    def response(self) -> Response:
        headers = {"Location": self.location} if self.location else {}
        return Response(self.body, status=self.status, headers=headers)


def digest_of_request(view: ApiView, *parts: str) -> str:
    """Return what tells a request from another with the same key. Shape: parts: of a body that is no JSON, its digests"""
    request = view.request
    content = parts or (json.dumps(request.data, sort_keys=True),)
    return hashlib.sha256("\n".join((request.method, request.path, *content)).encode()).hexdigest()


def answer_once(
    view: ApiView,
    digest: Callable[[], str],
    do: Callable[[], Answer],
    *,
    afterwards: Callable[[], Answer] | None = None,
) -> Response:
    """Do what a request asks for, in one transaction with the note that it was done; or return the answer of the first time.

    Shape: digest: of the request, asked with a key only; afterwards: makes the answer anew once all is committed
    Raises: ApiRefused, and whatever `do` raises: then nothing is kept
    """
    key = view.request.headers.get("Idempotency-Key")
    if key is None:
        with transaction.atomic():
            answer = do()
        return (afterwards() if afterwards is not None else answer).response()
    if not _KEY.fullmatch(key):
        raise ApiRefused("idempotency_key_wrong")
    kept = _claimed(view, key, digest())
    if kept.status:
        replayed = Answer(kept.body, kept.status, kept.location).response()
        replayed["Idempotent-Replayed"] = "true"
        return replayed
    mine = KeptAnswer.objects.filter(pk=kept.pk, claim=kept.claim)
    try:
        with transaction.atomic():
            answer = do()
            _keep(mine, answer)
    except BaseException:
        mine.filter(status=0).delete()
        raise
    if afterwards is not None:
        answer = afterwards()
        _keep(mine, answer)
    return answer.response()


def _keep(mine: QuerySet[KeptAnswer], answer: Answer) -> None:
    """Raises: ApiRefused if somebody has taken the request over meanwhile"""
    if not mine.update(status=answer.status, body=answer.body, location=answer.location):
        raise ApiRefused("idempotency_in_progress")


def _claimed(view: ApiView, key: str, digest: str) -> KeptAnswer:
    """Return the record of a key: ours to carry out, or one with its answer. Raises: ApiRefused"""
    claim, now = uuid.uuid4().hex, timezone.now()
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(token=view.token, key=key, digest=digest, claim=claim, claimed_at=now)
    except IntegrityError:
        kept = KeptAnswer.objects.filter(token=view.token, key=key).first()
    if kept is None:
        # The first try has just failed.
        raise ApiRefused("idempotency_in_progress")
    if kept.digest != digest:
        raise ApiRefused("idempotency_key_reused")
    if not kept.status:
        dead = KeptAnswer.objects.filter(pk=kept.pk, claim=kept.claim, status=0, claimed_at__lt=now - _DEAD_AFTER)
        if not dead.update(claim=claim, claimed_at=now):
            raise ApiRefused("idempotency_in_progress")
        kept.claim = claim
    return kept
