"""The entries of a directory (LDAP), page by page, each of whose attributes becomes a column."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from sync.errors import SourceError
from sync.secret_texts import without_secrets
from sync.sources.guard import FetchRules
from sync.sources.location import Address
from sync.sources.row_file import RowSource
from sync.sources.sql_source import check_allowed

if TYPE_CHECKING:
    import ldap3

_CONNECT_SECONDS = 10
_PAGE_ENTRIES = 500
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*(;[A-Za-z0-9-]+)*")
_CERTIFICATE_REASON = "certificate verify failed: "
_DN = "dn"
# Source: RFC 2696
_PAGED = "1.2.840.113556.1.4.319"
# Answers with a part of what was asked for, which the library takes for a success. Source: RFC 4511, 4.1.9
_LIMITS_EXCEEDED = {3: "timeLimitExceeded", 4: "sizeLimitExceeded"}
_MOST_ATTRIBUTES = 100
_LONGEST_REASON = 300


class LdapSearch(NamedTuple):
    """What is asked of a directory. Shape: attributes: in the order of the columns; "dn" is the name of the entry"""

    base: str
    filter: str
    attributes: Sequence[str]


class LdapSource(RowSource):
    """The entries below a base that a filter takes."""

    def __init__(self, address: Address, wanted: LdapSearch, rules: FetchRules, name: str) -> None:
        super().__init__(name, address.host, rules)
        self._address = address
        self._wanted = wanted
        self._ends_at = time.monotonic() + rules.seconds

    def rows(self) -> Generator[Sequence[object], None, None]:
        check_allowed(self._address, self._rules)
        with self._translated_errors(), self._connection() as connection:
            yield list(self._wanted.attributes)
            cookie: bytes | None = None
            missing = list(self._wanted.attributes)
            has_entries = False
            while cookie is None or cookie:
                entries, cookie = self._page(connection, cookie)
                for entry in entries:
                    values = _values_of(entry)
                    has_entries = True
                    missing = [name for name in missing if not values.get(name.lower())]
                    yield [values.get(name.lower()) for name in self._wanted.attributes]
            if has_entries and missing:
                # A name that is wrong or hidden looks the same, and an empty column clears what Moodle holds.
                raise SourceError("ldap_attribute_missing", host=self._host, attributes=", ".join(missing))

    def _page(self, connection: ldap3.Connection, cookie: bytes | None) -> tuple[list[dict[str, Any]], bytes]:
        """Return the next entries in their order, and what the ones after them are asked for with, b"" behind the last."""
        if time.monotonic() > self._ends_at:
            raise SourceError("remote_too_slow", host=self._host, seconds=round(self._rules.seconds))
        asked = [name for name in self._wanted.attributes if name.lower() != _DN]
        connection.search(
            self._wanted.base, self._wanted.filter, attributes=asked, paged_size=_PAGE_ENTRIES, paged_cookie=cookie
        )
        if (code := connection.result["result"]) in _LIMITS_EXCEEDED:
            raise SourceError("ldap_limit", host=self._host, reason=_LIMITS_EXCEEDED[code])
        if code:
            # A reference to another server, where the whole of it lies.
            raise SourceError("remote_failed", host=self._host, reason=connection.result["description"])
        # Others are references to servers that nobody has named.
        entries = [entry for entry in connection.response or () if entry.get("type") == "searchResEntry"]
        paged = connection.result.get("controls", {}).get(_PAGED, {})
        return entries, paged.get("value", {}).get("cookie", b"")

    @contextmanager
    def _connection(self) -> Iterator[ldap3.Connection]:
        """Connect with TLS, and log in. Certificates must be valid, as everywhere else."""
        import ldap3
        from ldap3.core import exceptions

        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED)
        is_secure = self._address.scheme == "ldaps"
        server = ldap3.Server(
            self._address.host, self._address.port, use_ssl=is_secure, tls=tls, get_info=ldap3.NONE,
            connect_timeout=_CONNECT_SECONDS,
        )  # fmt: skip
        with_login = {
            "user": self._address.username,
            "password": self._address.password,
            "authentication": ldap3.SIMPLE,
        }
        connection = ldap3.Connection(
            server, **(with_login if self._address.username else {}), read_only=True, raise_exceptions=True,
            receive_timeout=max(1, round(min(30.0, self._rules.seconds))), auto_referrals=False, return_empty_attributes=True,
        )  # fmt: skip
        try:
            connection.open()
            if not is_secure:
                connection.start_tls()
            self._log_in(connection)
            yield connection
        finally:
            with suppress(exceptions.LDAPException, OSError):
                # What went wrong before is what is said.
                connection.unbind()

    def _log_in(self, connection: ldap3.Connection) -> None:
        from ldap3.core import exceptions

        try:
            connection.bind()
        except (exceptions.LDAPInvalidDNSyntaxResult, exceptions.LDAPInvalidDnError):
            raise SourceError("ldap_login_unreadable", host=self._host, username=self._address.username) from None
        except (exceptions.LDAPInappropriateAuthenticationResult, exceptions.LDAPPasswordIsMandatoryError):
            raise SourceError("remote_login_refused", host=self._host) from None

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        from ldap3.core import exceptions

        try:
            yield
        except exceptions.LDAPInvalidCredentialsResult:
            raise SourceError("remote_login_refused", host=self._host) from None
        except (
            exceptions.LDAPNoSuchObjectResult, exceptions.LDAPInvalidDnError, exceptions.LDAPInvalidDNSyntaxResult,
        ) as error:  # fmt: skip
            raise SourceError("ldap_base_unknown", host=self._host, base=self._wanted.base) from error
        except exceptions.LDAPAdminLimitExceededResult as error:
            raise SourceError("ldap_limit", host=self._host, reason=error.description) from error
        except exceptions.LDAPInvalidFilterError:
            raise SourceError("ldap_filter_unreadable", filter=self._wanted.filter) from None
        except (exceptions.LDAPException, OSError) as error:
            raise self._sentence(error) from None

    def _sentence(self, error: Exception) -> SourceError:
        """Return what is said of a failure. What is wrong with a certificate stands within the texts of several exceptions."""
        reason = without_secrets(" ".join((str(error) or type(error).__name__).split()))[:_LONGEST_REASON]
        if "certificate" not in reason.lower():
            return SourceError("remote_failed", host=self._host, reason=reason)
        said = reason.partition(_CERTIFICATE_REASON)[2].partition("(")[0].strip()
        return SourceError("remote_certificate", host=self._host, reason=said or "hostname mismatch")


def _values_of(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what stands in an entry by the names of its attributes, in small letters."""
    return {**{name.lower(): value for name, value in entry["attributes"].items()}, _DN: entry["dn"]}


def attributes_of(text: str) -> list[str]:
    """Return the attributes of a list with commas: "uid, givenName, dn". Raises: SourceError"""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if not _ATTRIBUTE.fullmatch(name):
            raise SourceError("ldap_attribute_unreadable", attribute=name[:60])
    if not names or len(names) > _MOST_ATTRIBUTES or len({name.lower() for name in names}) < len(names):
        raise SourceError("ldap_attributes_wrong", limit=_MOST_ATTRIBUTES)
    return names
