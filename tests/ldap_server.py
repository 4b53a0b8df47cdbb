"""A small directory of this machine: binds, StartTLS and searches by pages, over real sockets and real messages of LDAP.

No LDAP server is among the packages of the tests. Its messages are put together by the library's own description of RFC 4511.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import trustme
from ldap3.protocol import rfc2696, rfc4511
from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error, SubstrateUnderrunError

PAGED = "1.2.840.113556.1.4.319"
START_TLS = "1.3.6.1.4.1.1466.20037"
SUCCESS, NO_SUCH_OBJECT, INVALID_CREDENTIALS = 0, 32, 49

Entries = dict[str, dict[str, list[str]]]


class LdapServer:
    """A directory. Shape: entries: name -> attributes; pages: how many entries each page had that it gave; logins: who bound"""

    def __init__(
        self, certificate: trustme.LeafCert, entries: Entries, *, base: str, password: str, secure: bool
    ) -> None:
        self.pages: list[int] = []
        self.logins: list[str] = []
        self._entries, self._base, self._password, self._secure = entries, base, password, secure
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self._context)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                line, _address = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with suppress(OSError, ssl.SSLError):
            if self._secure:
                line = self._context.wrap_socket(line, server_side=True)
            data = b""
            while block := line.recv(65_536):
                data += block
                while data:
                    try:
                        message, data = decoder.decode(data, asn1Spec=rfc4511.LDAPMessage())
                    except (SubstrateUnderrunError, PyAsn1Error):
                        break
                    for answer in self._answers(message):
                        line.sendall(encoder.encode(answer))
                    if message["protocolOp"].getName() == "extendedReq":
                        line = self._context.wrap_socket(line, server_side=True)
        line.close()

    def _answers(self, message: Any) -> Iterator[Any]:
        operation = message["protocolOp"]
        kind = operation.getName()
        if kind == "bindRequest":
            request = operation["bindRequest"]
            name, given = str(request["name"]), bytes(request["authentication"]["simple"]).decode()
            self.logins.append(name)
            code = SUCCESS if not name or given == self._password else INVALID_CREDENTIALS
            yield _message(message, "bindResponse", _result(rfc4511.BindResponse(), code))
        elif kind == "extendedReq":
            yield _message(message, "extendedResp", _result(rfc4511.ExtendedResponse(), SUCCESS))
        elif kind == "searchRequest":
            yield from self._found(message, operation["searchRequest"])

    def _found(self, message: Any, request: Any) -> Iterator[Any]:
        if str(request["baseObject"]) != self._base:
            yield _message(message, "searchResDone", _result(rfc4511.SearchResultDone(), NO_SUCH_OBJECT))
            return
        names = [name for name, attributes in self._entries.items() if _fits(request["filter"], attributes)]
        size, first = _page_of(message)
        wanted = [str(name) for name in request["attributes"]]
        page = names[first : first + size]
        self.pages.append(len(page))
        for name in page:
            yield _message(message, "searchResEntry", _entry(name, self._entries[name], wanted))
        done = _message(message, "searchResDone", _result(rfc4511.SearchResultDone(), SUCCESS))
        following = str(first + size) if first + size < len(names) else ""
        value = rfc2696.RealSearchControlValue()
        value["size"], value["cookie"] = 0, following.encode()
        control = rfc4511.Control()
        control["controlType"], control["controlValue"] = PAGED, encoder.encode(value)
        done["controls"] = _controls(control)
        yield done


def _page_of(message: Any) -> tuple[int, int]:
    """Return how many entries are asked for, and from which on."""
    for control in message["controls"] if message["controls"].isValue else ():
        if str(control["controlType"]) == PAGED:
            value, _rest = decoder.decode(bytes(control["controlValue"]), asn1Spec=rfc2696.RealSearchControlValue())
            return int(value["size"]), int(bytes(value["cookie"]) or b"0")
    return 10**6, 0


def _controls(control: Any) -> Any:
    controls = rfc4511.LDAPMessage()["controls"].clone()
    controls.setComponentByPosition(0, control)
    return controls


def _message(asked: Any, kind: str, body: Any) -> Any:
    operation = rfc4511.ProtocolOp()
    operation[kind] = body
    message = rfc4511.LDAPMessage()
    message["messageID"], message["protocolOp"] = asked["messageID"], operation
    return message


def _result(body: Any, code: int) -> Any:
    body["resultCode"], body["matchedDN"], body["diagnosticMessage"] = code, "", ""
    return body


def _entry(name: str, attributes: dict[str, list[str]], wanted: list[str]) -> Any:
    entry = rfc4511.SearchResultEntry()
    entry["object"] = name
    found = rfc4511.PartialAttributeList()
    given = {key: values for key, values in attributes.items() if key.lower() in {name.lower() for name in wanted}}
    for place, (key, values) in enumerate(given.items()):
        attribute = rfc4511.PartialAttribute()
        attribute["type"] = key
        listed = rfc4511.Vals()
        for number, value in enumerate(values):
            listed.setComponentByPosition(number, value.encode())
        attribute["vals"] = listed
        found.setComponentByPosition(place, attribute)
    entry["attributes"] = found
    return entry


def _fits(condition: Any, attributes: dict[str, list[str]]) -> bool:
    """Tell whether a filter takes an entry. Negations are none of what the tests ask for."""
    by_name = {name.lower(): [value.lower() for value in values] for name, values in attributes.items()}
    kind = condition.getName()
    if kind == "present":
        return str(condition["present"]).lower() in {*by_name, "objectclass"}
    if kind == "equalityMatch":
        asked = condition["equalityMatch"]
        value = bytes(asked["assertionValue"]).decode().lower()
        return value in by_name.get(str(asked["attributeDesc"]).lower(), [])
    parts = [_fits(part, attributes) for part in condition[kind]]
    return all(parts) if kind == "and" else any(parts)


@contextmanager
def running(server: LdapServer) -> Iterator[LdapServer]:
    try:
        yield server
    finally:
        server.stop()
