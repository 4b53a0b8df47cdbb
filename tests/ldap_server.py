"""A private OpenLDAP server: certificates of the tests' own, people to be found, one login that may read them."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import trustme

from tests.servers import PASSWORD, Server, find_program, free_port

SUFFIX = "dc=example,dc=org"
BASE = f"ou=people,{SUFFIX}"
READER = f"cn=feeder,{SUFFIX}"

# Where Debian, Fedora and a build from source keep them.
_SCHEMA_FOLDERS = ("/etc/ldap/schema", "/etc/openldap/schema", "/usr/local/etc/openldap/schema")
_LOGIN = re.compile(r' BIND dn="(.*)" method=')
_PAGE = re.compile(r" SEARCH RESULT .* nentries=(\d+)")

Attributes = Mapping[str, Sequence[str]]


class LdapServer(Server):
    """A directory with people below `BASE`. Shape: people: attributes of each; most: entries that the reader gets, None = all"""

    def __init__(
        self, folder: Path, certificate: trustme.LeafCert, people: Iterable[Attributes] = (), *, most: int | None = None
    ) -> None:
        super().__init__(folder)
        self.program = find_program("slapd")
        self.secure_port = free_port()
        (folder / "data").mkdir()
        certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "certificate.pem"))
        (folder / "slapd.conf").write_text(self._configuration(most))
        (folder / "people.ldif").write_text("\n".join(map(_entry, _entries(people))))
        fill = [find_program("slapadd"), "-q", "-f", str(folder / "slapd.conf"), "-l", str(folder / "people.ldif")]
        subprocess.run(fill, check=True, capture_output=True)
        self.start()

    def url(self, scheme: str) -> str:
        return f"{scheme}://localhost:{self.secure_port if scheme == 'ldaps' else self.port}"

    def command(self) -> Sequence[str]:
        addresses = f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.secure_port}"
        return [self.program, "-d", "stats", "-f", str(self.folder / "slapd.conf"), "-h", addresses]

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.secure_port), timeout=1):
                return True
        except OSError:
            return False

    @contextmanager
    def asked(self) -> Iterator[Asked]:
        """Return what the server is asked within the block."""
        log = self.folder / "log.txt"
        before = log.stat().st_size
        asked = Asked()
        yield asked
        with log.open("rb") as lines:
            lines.seek(before)
            said = lines.read().decode(errors="replace")
        asked.logins = _LOGIN.findall(said)
        asked.pages = [int(entries) for entries in _PAGE.findall(said)]

    def _configuration(self, most: int | None) -> str:
        schemas = next(folder for folder in map(Path, _SCHEMA_FOLDERS) if folder.is_dir())
        modules = Path("/usr/lib/ldap")
        return "\n".join([
            *(f"include {schemas / name}.schema" for name in ("core", "cosine", "inetorgperson")),
            *([f"modulepath {modules}", "moduleload back_mdb"] if modules.is_dir() else []),
            f"TLSCertificateFile {self.folder / 'certificate.pem'}",
            f"TLSCertificateKeyFile {self.folder / 'certificate.pem'}",
            # As a directory that takes care: no password without TLS, nothing for those who don't say who they are.
            "security simple_bind=64",
            "database mdb",
            f'suffix "{SUFFIX}"',
            f"directory {self.folder / 'data'}",
            f'limits dn.exact="{READER}" size={"unlimited" if most is None else most}',
            f'access to dn.subtree="{BASE}" by dn.exact="{READER}" read by * none',
            "access to * by anonymous auth by * none",
            "",
        ])  # fmt: skip


class Asked:
    """Shape: logins: who bound; pages: how many entries each page had that was given"""

    def __init__(self) -> None:
        self.logins: list[str] = []
        self.pages: list[int] = []


def _entries(people: Iterable[Attributes]) -> Iterator[tuple[str, Attributes]]:
    yield SUFFIX, {"objectClass": ["dcObject", "organization"], "dc": ["example"], "o": ["Example"]}
    reader = {
        "objectClass": ["organizationalRole", "simpleSecurityObject"],
        "cn": ["feeder"],
        "userPassword": [PASSWORD],
    }
    yield READER, reader
    yield BASE, {"objectClass": ["organizationalUnit"], "ou": ["people"]}
    for person in people:
        (uid,) = person["uid"]
        yield f"uid={uid},{BASE}", {"objectClass": ["inetOrgPerson"], "cn": [uid], **person}


def _entry(named: tuple[str, Attributes]) -> str:
    """Return an entry as LDIF. Source: RFC 2849; texts with other letters than those of ASCII go as they are, in UTF-8"""
    name, attributes = named
    lines = [f"{attribute}: {value}" for attribute, values in attributes.items() for value in values]
    return "\n".join([f"dn: {name}", *lines, ""])
