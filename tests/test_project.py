"""What the files around the code promise: pins, contracts, services, static files."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import grimp
import pytest
import yaml
from django.core.management import call_command
from pytest_django import Settings

from sync.processors.registry import REGISTRY

ROOT = Path(__file__).resolve().parent.parent
# The places of tests that sleep, and why: all others wait for a condition.
SLEEPS = {
    ("waiting.py", "wait_until"): "between two looks at the condition",
    ("notification_servers.py", "do_POST"): "a receiver that is slow to answer",
    ("source_servers.py", "drip"): "a server that sends a byte at a time",
    ("sources/test_http_address.py", "endless"): "likewise, headers",
    ("sources/test_drop_folder.py", "take"): "the lock is held for a moment, so that another one could come in",
    ("runs/test_faults.py", "_kill_and_start"): "a server is away for a while",
    ("runs/test_faults.py", "_take_away_and_bring_back"): "a disk is away for a while",
    (
        "soak/test_repeated_pauses.py",
        "test_a_run_whose_workers_are_paused_again_and_again_ends_like_an_undisturbed_one",
    ): "a pause at a random moment",
    (
        "soak/test_repeated_kills.py",
        "test_a_run_whose_worker_is_killed_again_and_again_ends_like_an_undisturbed_one",
    ): "a kill at a random moment",
}
# Modules that may be short: Django, Celery, a command's name or the layout of packages says where they stand, or nothing else
# is about their subject. All others have at least so many lines, or stand in the module of their subject.
SHORTEST_MODULE = 40
SHORT_MODULES = {
    "toolsync_site/addresses.py": "a part of the middleware, of which settings name each by its address",
    "sync/schedules/titles.py": "notifications name feeds, and stand below the overview, which does so too",
    "sync/demo/story.py": "the demo makes the feed that the tour of its pages names",
    "sync/processors/base/asked_lines.py": "operations of users and all others use it, and the undo of one line",
    "toolsync_site/wsgi.py": "gunicorn finds it by this name",
    "toolsync_site/formats/en/formats.py": "Django looks for the formats of a language there",
    "sync/people/sessions.py": "below the services of people, which end sessions",
    "sync/web/user_agents.py": "what browsers call themselves is known nowhere else",
    "sync/web/views/sessions.py": "the own sessions; the pages about others are another module",
    "toolsync_site/repair.py": "settings name it: Django's admin, apart from everything of ours",
    "toolsync_site/logins.py": "settings name it: logins by other servers, loaded when they are shown",
    "toolsync_site/s3_storage.py": "loads boto3, which only those need who keep files in a bucket",
    "sync/models/health.py": "the models of a subject stand in the module of its name",
    "sync/storage_errors.py": "below all that keeps or fetches files, and loads what they raise",
    "sync/task_queue.py": "below all that sends messages, and loads Celery",
    "sync/management/commands/rotatekeys.py": "a command is named after its module",
    "sync/management/commands/limits.py": "likewise",
    "sync/management/commands/stickyfields.py": "likewise",
    "sync/management/commands/notificationrules.py": "likewise",
    "sync/management/commands/completion.py": "likewise",
    "sync/management/commands/writedocs.py": "likewise",
    "sync/processors/metacourses/messages.py": "the texts of a package stand in its messages.py",
    "sync/processors/custom_fields/messages.py": "likewise",
    "sync/processors/custom_fields/cells.py": "columns that the planner needs as well stand in cells.py",
    "sync/mappings/messages.py": "likewise",
    "sync/grace/messages.py": "likewise",
    "sync/api/moodle_protocol/messages.py": "likewise",
    "sync/takeover/messages.py": "likewise",
    "sync/runs/asking.py": "set by two packages of the API, asked by the services of runs",
    "sync/outcomes/archive.py": "report, tryback and archive are a module each, as the glossary says",
    "sync/moodle/site/tags.py": "users, courses and activities lose tags",
    "sync/moodle/course_content/backup/limits.py": "values that all readers of backups share",
    "sync/processors/base/blobs.py": "what a commit owes to Moodle's files, apart from the operations before it",
    "sync/processors/base/errors.py": "raised by every planner, whose base imports it",
    "sync/processors/roles/options.py": "the options of a package stand in its options.py, which its cells and exports import",
    "sync/api/moodle_protocol/errors.py": "raised by every module of the package, answered by one",
    "sync/api/moodle_protocol/urls.py": "Django includes addresses by a module",
    "sync/processors/base/planner.py": "the one loop over rows, apart from the contract",
    "sync/processors/memberships/own_memberships.py": "shared by enrolments and groups",
}
READERS_OF_SETTINGS = {"sync/runs/options.py", "sync/encryption.py", "sync/commandfiles/storage.py", "sync/checks.py"}


def pins(name: str) -> list[str]:
    lines = (ROOT / name).read_text().splitlines()
    return [line.split(" \\")[0] for line in lines if re.match(r"[A-Za-z0-9]", line)]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_is_pinned_to_the_version_that_is_installed(name: str) -> None:
    for pin in pins(name):
        package, version = pin.split("==")
        assert importlib.metadata.version(package) == version


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "requirements-node"])
def test_every_package_has_hashes_and_no_file_names_a_server(name: str) -> None:
    text = (ROOT / f"{name}.txt").read_text()
    packages = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(packages) == len(pins(f"{name}.txt"))
    for package in packages:
        assert re.fullmatch(r"\S+==\S+( \\\n    --hash=sha256:[0-9a-f]{64})+\n", package), package[:60]
    assert "://" not in text
    assert "--index" not in text
    assert set(map(normal, pins(f"{name}.in"))) <= set(map(normal, pins(f"{name}.txt")))


def test_tests_run_with_the_very_packages_that_toolsync_runs_with() -> None:
    assert set(pins("requirements.txt")) <= set(pins("requirements-dev.txt"))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_no_installed_package_is_left_unpinned() -> None:
    pinned = {normal(pin.split("==")[0]) for pin in pins("requirements.txt") + pins("requirements-dev.txt")}
    installed = {normal(distribution.name) for distribution in importlib.metadata.distributions()}
    assert installed - {"pip", "setuptools", "wheel"} <= pinned


def test_front_end_packages_are_pinned_and_the_lock_names_no_server() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    asked = json.loads((ROOT / "package.json").read_text())
    for name, version in {**asked["dependencies"], **asked["devDependencies"]}.items():
        assert lock[f"node_modules/{name}"]["version"] == version
    locked = [package for path, package in lock.items() if path]
    assert all("integrity" in package and "resolved" not in package for package in locked)


def test_every_static_file_that_a_page_or_stylesheet_names_is_there(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    kept = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    named = {
        name
        for template in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r"""\{%\s*static\s+["']([^"']+)["']""", template.read_text())
    }
    assert named <= kept.keys()
    assert "vendor/bootstrap/bootstrap.min.css" in kept


def test_no_template_holds_a_script_or_style_that_the_content_security_policy_blocks() -> None:
    inline = re.compile(
        r"<script(?![^>]*\bsrc=)|<style|\s(?:style|on[a-z]+)=[\"']|javascript:|hx-on|https?://[^\"' ]+\.js"
    )
    for template in (ROOT / "templates").rglob("*.html"):
        assert not inline.search(template.read_text()), template


def test_every_image_can_be_pinned_by_its_digest() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert {line.split()[1] for line in dockerfile.splitlines() if line.startswith("FROM")} == {"${PYTHON_IMAGE}"}
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    images = {service["image"] for service in services.values() if "build" not in service}
    assert images
    assert all(re.fullmatch(r"\$\{TOOLSYNC_[A-Z]+_IMAGE:-[^}]+\}", image) for image in images)


def test_the_composition_has_all_services_and_each_tells_its_health() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert services.keys() == {"migrate", "web", "worker", "beat", "db", "redis"}
    assert all("healthcheck" in service for service in services.values())
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_the_containers_may_do_no_more_than_they_need() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name in ("migrate", "web", "worker", "beat"):
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        # Each folder that something is written to.
        assert {"data:/var/lib/toolsync", "/var/tmp"} <= set(service["volumes"])
        assert any(place.startswith("/tmp") for place in service["tmpfs"])
    assert all("no-new-privileges:true" in service["security_opt"] for service in services.values())


def test_an_image_gets_only_what_is_named() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    taken = {rule[1:] for rule in rules if rule.startswith("!")}
    assert all((ROOT / name).exists() for name in taken)
    assert not taken & {".env", ".git", "var", "tests", "docs"}


def test_no_processor_imports_another() -> None:
    graph = grimp.build_graph("sync", cache_dir=None)
    modules = {processor.__module__ for processor in REGISTRY.values()}
    assert not [
        (one, other)
        for one, other in permutations(sorted(modules), 2)
        if graph.direct_import_exists(importer=one, imported=other)
    ]


# The demo hands an environment of its own to the processes that it starts.
MAKERS_OF_ENVIRONMENT = {
    "sync/management/commands/demo.py",
    # What of it Moodle's own scripts get.
    "sync/moodle/site/command_line.py",
}


def test_settings_and_environment_are_read_only_where_they_enter() -> None:
    """AUTH_USER_MODEL is Django's way to name a table, the others say where things lie: no code decides by them."""
    not_tuned = {"settings.AUTH_USER_MODEL", "settings.BASE_DIR", "settings.STATIC_ROOT", "settings.VAR_DIR"}
    for path in sorted((ROOT / "sync").rglob("*.py")):
        tree = ast.parse(path.read_text())
        imported = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
            if node.module in {"django.conf", "os"}
        }  # fmt: skip
        read = {
            f"{node.value.id}.{node.attr}" for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        }  # fmt: skip
        name = path.relative_to(ROOT).as_posix()
        if "settings" in imported and name not in READERS_OF_SETTINGS:
            assert {item for item in read if item.startswith("settings.")} <= not_tuned, name
        if name not in MAKERS_OF_ENVIRONMENT:
            assert not {"environ", "getenv"} & imported, name
            assert not {"os.environ", "os.getenv"} & read, name


@pytest.mark.parametrize("command", [["bin/bootstrap.py"], ["bin/audit.py"], [".ci/run"], ["manage.py"]])
def test_what_people_call_is_executable(command: list[str]) -> None:
    assert (ROOT / command[0]).stat().st_mode & 0o111


def test_the_set_up_compiles_the_code_for_those_who_may_not_write_beside_it(tmp_path: Path) -> None:
    for folder in ("bin", "sync/runs", "toolsync_site"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "module.py").write_text("A = 1\n")
    (tmp_path / "manage.py").write_text("A = 1\n")
    (tmp_path / "bin" / "bootstrap.py").write_bytes((ROOT / "bin" / "bootstrap.py").read_bytes())
    script = (
        "import bootstrap, pathlib, sys; bootstrap.VENV_PYTHON = pathlib.Path(sys.executable); bootstrap.compile_code()"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path / "bin",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )
    compiled = {path.parent.parent.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.pyc")}
    assert compiled == {".", "sync/runs", "toolsync_site"}


def test_make_knows_every_command_that_the_documents_name() -> None:
    texts = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    named = {
        target for text in texts for target in re.findall(r"(?:`|^ *)make ([a-z]+)\b", text.read_text(), re.MULTILINE)
    }
    assert {"demo", "test"} <= named
    for target in sorted(named):
        assert subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, check=False).returncode == 0


def sleeps_within(node: ast.AST, function: str = "") -> Iterator[str]:
    """Return the innermost function around each call of `sleep`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and "sleep" in (getattr(child.func, "attr", ""), getattr(child.func, "id", "")):
            yield function
        yield from sleeps_within(child, child.name if isinstance(child, ast.FunctionDef) else function)


def test_tests_wait_for_conditions_and_never_just_sleep() -> None:
    folder = ROOT / "tests"
    found = {
        (path.relative_to(folder).as_posix(), function)
        for path in folder.rglob("*.py")
        if "sleep" in (text := path.read_text())
        for function in sleeps_within(ast.parse(text))
    }
    assert found == SLEEPS.keys()


def test_rows_are_locked_as_every_server_can() -> None:
    """MariaDB refuses FOR NO KEY UPDATE, with an error of which SQLite knows nothing; so it is with `of` on old ones."""
    calls = [
        (path.relative_to(ROOT).as_posix(), call.lineno, keyword.arg)
        for path in (ROOT / "sync").rglob("*.py")
        if "select_for_update" in (text := path.read_text())
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "select_for_update"
        for keyword in call.keywords
    ]
    assert [call for call in calls if call[2] in ("no_key", "of")] == []


def test_short_modules_have_a_reason() -> None:
    paths = [path for folder in ("sync", "toolsync_site") for path in (ROOT / folder).rglob("*.py")]
    short = {
        path.relative_to(ROOT).as_posix()
        for path in paths
        if path.name != "__init__.py"
        and "migrations" not in path.parts
        and len(path.read_text().splitlines()) < SHORTEST_MODULE
    }
    assert short == SHORT_MODULES.keys()
