"""The environment in, settings out; and nothing secret in a log line."""

from __future__ import annotations

import ast
import json
import logging.config
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from toolsync_site.logs import logging_config
from toolsync_site.storages import storage_from_url

ROOT = Path(__file__).resolve().parent.parent


def documented_variables() -> set[str]:
    return set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def variables_that_settings_read() -> set[str]:
    calls = (node for node in ast.walk(ast.parse((ROOT / "toolsync_site/settings.py").read_text())))
    return {
        str(node.args[0].value)
        for node in calls
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and isinstance(node.args[0], ast.Constant)
    }


def settings_with(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Import the settings in a process of their own and print some of them."""
    script = """
import json
from django.conf import settings as s
print(json.dumps({
    "engine": s.DATABASES["default"]["ENGINE"],
    "options": s.DATABASES["default"]["OPTIONS"],
    "broker": s.CELERY_BROKER_URL,
    "files": s.STORAGES["files"],
    "secure": [s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS > 0],
    "secret_key": s.SECRET_KEY,
    "hosts": s.ALLOWED_HOSTS,
    "cli": s.TOOLSYNC_MOODLE_CLI,
}))
"""
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "toolsync_site.settings",
            "TOOLSYNC_ENV_FILE": os.devnull,
            "TOOLSYNC_VAR": str(tmp_path / "var"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_example_names_every_variable_that_is_read_and_no_other() -> None:
    for_compose_only = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    # What OpenSSL reads itself: .env goes into the environment.
    assert documented_variables() == variables_that_settings_read() | for_compose_only | {"SSL_CERT_FILE"}


def test_an_empty_environment_gives_a_site_that_needs_no_server(tmp_path: Path) -> None:
    given = json.loads(settings_with(tmp_path).stdout)
    assert given["engine"] == "django.db.backends.sqlite3"
    assert given["options"]["transaction_mode"] == "IMMEDIATE"
    assert given["broker"] == "filesystem://"
    assert given["files"]["OPTIONS"]["location"] == str(tmp_path / "var" / "files")
    assert given["secure"] == [False, False, False, False]


def test_an_embedded_site_keeps_the_secret_key_that_it_made(tmp_path: Path) -> None:
    first, second = (json.loads(settings_with(tmp_path).stdout)["secret_key"] for _ in range(2))
    assert len(first) >= 50
    assert first == second
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_folder_name_with_odd_characters_is_taken_literally(tmp_path: Path) -> None:
    folder = tmp_path / "100% #1 + é"
    given = json.loads(settings_with(tmp_path, TOOLSYNC_VAR=str(folder)).stdout)
    assert given["files"]["OPTIONS"]["location"] == str(folder / "files")


def test_a_production_site_without_a_secret_key_does_not_start(tmp_path: Path) -> None:
    refused = settings_with(tmp_path, DATABASE_URL="mysql://toolsync:pw@db/toolsync")
    assert refused.returncode != 0
    assert "Set SECRET_KEY" in refused.stderr


def test_a_production_site_is_served_over_tls_only(tmp_path: Path) -> None:
    given = json.loads(
        settings_with(
            tmp_path,
            DATABASE_URL="mysql://toolsync:pw@db/toolsync",
            CELERY_BROKER_URL="redis://redis:6379/0",
            SECRET_KEY="k" * 50,
            ALLOWED_HOSTS="toolsync.example.org",
            TOOLSYNC_MOODLE_CLI='["php", "/srv/moodle/admin/cli"]',
        ).stdout
    )
    assert given["engine"] == "django.db.backends.mysql"
    assert given["options"]["charset"] == "utf8mb4"
    assert given["secure"] == [True, True, True, True]
    assert "toolsync.example.org" in given["hosts"]
    assert given["cli"] == ["php", "/srv/moodle/admin/cli"]


@pytest.mark.parametrize(
    ("url", "backend", "options"),
    [
        ("file:///srv/my%20files", "FileSystemStorage", {"location": "/srv/my files", "file_permissions_mode": 0o600}),
        ("s3://Bucket/a/b", "ReplacingS3Storage", {"bucket_name": "Bucket", "location": "a/b", "default_acl": None}),
        (
            "s3://key:se%2Fcret@bucket/?endpoint_url=http%3A%2F%2Fminio%3A9000",
            "ReplacingS3Storage",
            {"access_key": "key", "secret_key": "se/cret", "endpoint_url": "http://minio:9000", "location": ""},
        ),
        (
            "sftp://me:p%40ss@files.example.org:2222/toolsync?key_filename=/etc/toolsync/key",
            "LastingSFTPStorage",
            {
                "host": "files.example.org",
                "root_path": "/toolsync",
                "params": {
                    "port": 2222,
                    "timeout": 30.0,
                    "username": "me",
                    "password": "p@ss",
                    "key_filename": "/etc/toolsync/key",
                },
            },
        ),
    ],
)
def test_an_address_becomes_a_storage(url: str, backend: str, options: dict[str, object]) -> None:
    storage = storage_from_url(url)
    assert storage["BACKEND"].endswith(f".{backend}")
    assert storage["OPTIONS"].items() >= options.items()


@pytest.mark.parametrize("url", ["/srv/files", "file://files", "ftp://me:pa55@host/", "s3:///prefix", "sftp:///folder"])
def test_an_address_of_no_known_kind_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="must look like") as refused:
        storage_from_url(url)
    assert "pa55" not in str(refused.value)


@pytest.mark.parametrize(
    ("key", "said"),
    [("", "Set SECRET_KEY"), ("x" * 50, "ToolSync's own database can't be used: no such table: sync_moodlesite")],
    ids=["settings", "tables"],
)
def test_what_an_operator_has_to_mend_is_a_sentence(key: str, said: str, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"], "TOOLSYNC_ENV_FILE": os.devnull, "TOOLSYNC_VAR": str(tmp_path), "SECRET_KEY": key,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}",
    }  # fmt: skip
    run = [sys.executable, "manage.py", "runs"]
    ended = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) == 1

    traced = subprocess.run(
        [*run, "--traceback"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert "Traceback" in traced.stderr


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "console"])
@pytest.mark.parametrize(
    "statement",
    [
        "logging.getLogger('sync').warning('new %s', {'user': 'amy', 'Password': 'hunter2'})",
        "logging.getLogger('celery').error('no route to redis://:hunter2@redis:6379/0')",
        "logging.getLogger('celery').error('%s', 'mysql://moodle:hunter2@db/moodle is away')",
        "logging.getLogger('django.request').error('%s: %s', 'Internal Server Error', '/invitation/hunter2-Ab/')",
        "logging.getLogger('django.request').error('%s: %s', 'Not Found', '/password/mail/Mg/hunter2-1f/')",
        "logging.getLogger('sync').error('refused: user=amy password=hunter2 host=db')",
        """
try:
    raise OSError("no answer from sftp://me:hunter2@host/")
except OSError:
    logging.getLogger("sync").exception("storage")
""",
    ],
)
def test_no_secret_reaches_a_log_line(statement: str, as_json: bool) -> None:
    script = f"""
import logging.config
from toolsync_site.logs import logging_config
logging.config.dictConfig(logging_config(as_json={as_json}, level="INFO"))
{statement}
"""
    printed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "[hidden]" in printed.stderr
    assert "hunter2" not in printed.stderr
    assert printed.stdout == ""


def test_a_json_log_line_carries_level_logger_and_time(capfd: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(logging_config(as_json=True, level="INFO"))
    logging.getLogger("sync.runs").info("run %s ended", 7)
    line = json.loads(capfd.readouterr().err)
    assert line.keys() == {"event", "logger", "level", "timestamp"}
    assert (line["event"], line["logger"], line["level"]) == ("run 7 ended", "sync.runs", "info")


@pytest.mark.parametrize("as_json", [False, True])
def test_no_value_looks_like_another_line_of_the_log(as_json: bool, capfd: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(logging_config(as_json=as_json, level="INFO"))
    for sign in ("\n", "\r\n", "\x1b[2K\r", "\x85", "\u2028", "\u202e", "\0", "\x0b"):
        logging.getLogger("sync").warning("file %s", f"a{sign}2026-01-01 [info] all is well")
    lines = capfd.readouterr().err.split("\n")[:-1]
    assert len(lines) == 8
    assert all(line.isprintable() for line in lines)
    try:
        int("x")
    except ValueError:
        logging.getLogger("sync").exception("it went wrong, \u00e9\u00a0!")
    told = capfd.readouterr().err
    assert "it went wrong, \u00e9\u00a0!" in told or as_json
    assert (len(told.splitlines()) > 2) is not as_json


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        (setting, f"{scheme}://user:{password}@server.invalid/place")
        for setting, scheme in (("DATABASE_URL", "mysql"), ("EMAIL_URL", "smtp"), ("TOOLSYNC_STORAGE", "sftp"))
        for password in ("Hunter2#x/y", "x@y:Hunter2")
    ],
)
def test_an_address_that_cannot_be_read_is_named_and_not_quoted(tmp_path: Path, setting: str, address: str) -> None:
    done = settings_with(tmp_path, SECRET_KEY="x" * 50, **{setting: address})
    assert "Hunter2" not in done.stderr
    if done.returncode:
        assert f"{setting} can't be read as an address." in done.stderr
