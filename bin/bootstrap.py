#!/usr/bin/env python3
"""Set ToolSync up: system packages, virtual environment, front-end files, compiled code. Quick when nothing changed.

Standard library only: this runs before anything is installed. `--tests` adds the servers and tools of the tests.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
VENDOR = ROOT / "static" / "vendor"

# Carries node and npm; used for a moment, and only on a machine that has no npm.
NODE_REQUIREMENTS = ROOT / "requirements-node.txt"
# The source maps go along: the manifest of static files refuses a stylesheet whose map is missing.
VENDOR_FILES = {
    "bootstrap/dist/css/bootstrap.min.css": "bootstrap/bootstrap.min.css",
    "bootstrap/dist/css/bootstrap.min.css.map": "bootstrap/bootstrap.min.css.map",
    "bootstrap/dist/js/bootstrap.bundle.min.js": "bootstrap/bootstrap.bundle.min.js",
    "bootstrap/dist/js/bootstrap.bundle.min.js.map": "bootstrap/bootstrap.bundle.min.js.map",
    # Reports as PDF are set in it: it has the letters of most alphabets.
    "dejavu-fonts-ttf/ttf/DejaVuSans.ttf": "dejavu/DejaVuSans.ttf",
    "dejavu-fonts-ttf/LICENSE": "dejavu/LICENSE",
    "chart.js/dist/chart.umd.min.js": "chartjs/chart.umd.min.js",
    "chart.js/dist/chart.umd.min.js.map": "chartjs/chart.umd.min.js.map",
}
# Tests look at every page with it; no page is served with it.
AXE = Path("axe-core", "axe.min.js")


def main() -> None:
    for_tests = "--tests" in sys.argv[1:]
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        version = sys.version.split()[0]
        sys.exit(f"ToolSync needs Python 3.11, 3.12 or 3.13; this is {version}. Try: make PYTHON=python3.11")
    install_python_packages("requirements-dev.txt" if for_tests else "requirements.txt")
    if for_tests:
        install_debian_packages(missing_packages(TEST_PACKAGES))
    fetch_front_end_files(for_tests=for_tests)
    compile_translations()
    compile_code()
    collect_static_files()


# --- Debian packages -------------------------------------------------------------------------------------------------


def _has_program(*names: str) -> bool:
    # Debian keeps servers in /usr/sbin, which isn't on everybody's PATH.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    return any(shutil.which(name, path=path) for name in names)


def _has_file(pattern: str) -> bool:
    return any(Path("/").glob(pattern.lstrip("/")))


def _has_module(name: str) -> bool:
    return subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True, check=False).returncode == 0


def _knows_mysql_client() -> bool:
    return any(
        subprocess.run(["pkg-config", "--exists", name], capture_output=True, check=False).returncode == 0
        for name in ("mysqlclient", "mariadb", "libmariadb")
        if _has_program("pkg-config")
    )


# Debian package -> is what it brings there?
BUILD_PACKAGES: dict[str, Callable[[], bool]] = {
    "python3-venv": lambda: _has_module("ensurepip"),
    "python3-dev": lambda: Path(sysconfig.get_path("include"), "Python.h").exists(),
    "gcc": lambda: _has_program("gcc", "cc"),
    "libc6-dev": lambda: _has_file("/usr/include/stdio.h"),
    "pkg-config": lambda: _has_program("pkg-config"),
    "default-libmysqlclient-dev": _knows_mysql_client,
}
TEST_PACKAGES: dict[str, Callable[[], bool]] = {
    "mariadb-server": lambda: _has_program("mariadbd", "mysqld"),
    "postgresql": lambda: _has_file("/usr/lib/postgresql/*/bin/postgres") or _has_program("postgres"),
    "redis-server": lambda: _has_program("redis-server"),
    "slapd": lambda: _has_program("slapd"),
    "chromium": lambda: _has_program("chromium"),
    "fonts-liberation": lambda: _has_file("/usr/share/fonts/**/*.ttf"),
}


def missing_packages(packages: dict[str, Callable[[], bool]]) -> list[str]:
    return [name for name, is_there in packages.items() if not is_there()]


def install_debian_packages(names: list[str]) -> None:
    """Install them with apt as root; say what to install otherwise."""
    if not names:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *names]
    if not _has_program("apt-get"):
        sys.exit(
            f"ToolSync needs what Debian calls {', '.join(names)}: install your system's counterparts, then try again."
        )
    if os.geteuid() != 0:
        sys.exit(f"ToolSync needs a few Debian packages. Install them, then try again: sudo {' '.join(command)}")
    say(f"Installing Debian packages: {' '.join(names)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _services_kept_from_starting():
        run("apt-get", "update", env=environment)
        run(*command, env=environment)


@contextmanager
def _services_kept_from_starting() -> Iterator[None]:
    """Keep Debian from starting a server that it installs: the tests start private ones of their own.

    Source: https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt
    """
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


# --- Python packages -------------------------------------------------------------------------------------------------


def install_python_packages(requirements: str) -> None:
    """Make the virtual environment if need be and install the pinned packages."""
    files = [ROOT / "requirements.txt", ROOT / requirements]
    if _works(VENV_PYTHON) and _is_done(requirements, files):
        return
    install_debian_packages(missing_packages(BUILD_PACKAGES))
    if not _works(VENV_PYTHON):
        say(f"Making the virtual environment {VENV}")
        run(sys.executable, "-m", "venv", "--clear", str(VENV))
    say(f"Installing {requirements}")
    _pip_install(VENV_PYTHON, ROOT / requirements)
    _mark_done(requirements, files)


def _pip_install(python: Path, requirements: Path) -> None:
    """Install pinned packages, and none whose file isn't one of those that the hashes name."""
    options = ("--quiet", "--disable-pip-version-check", "--require-hashes")
    run(str(python), "-m", "pip", "install", *options, "-r", str(requirements))


def _works(python: Path) -> bool:
    """Tell whether it runs, is the version that was asked for and has pip; a half-made environment hasn't."""
    command = [str(python), "-c", f"import pip, sys; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"]
    return python.exists() and subprocess.run(command, capture_output=True, check=False).returncode == 0


# --- Front-end files and translations --------------------------------------------------------------------------------


def fetch_front_end_files(*, for_tests: bool) -> None:
    """Bring Bootstrap, Chart.js and DejaVu, as package-lock.json pins them, into static/vendor/; axe-core for the tests."""
    sources = [ROOT / "package.json", ROOT / "package-lock.json", Path(__file__)]
    targets = {Path(source): VENDOR / target for source, target in VENDOR_FILES.items()}
    if for_tests:
        targets[AXE] = ROOT / "node_modules" / AXE
    if _is_done("vendor", sources) and all(target.exists() for target in targets.values()):
        return
    say(f"Fetching Bootstrap, Chart.js and DejaVu{', and axe-core for the tests' if for_tests else ''}")
    with tempfile.TemporaryDirectory(prefix="toolsync-npm-") as name:
        folder = Path(name)
        for source in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(ROOT / source, folder)
        npm = shutil.which("npm") or _borrowed_npm(folder)
        # npm finds its node beside itself, or where it was found.
        path = os.pathsep.join([str(Path(npm).parent), os.environ.get("PATH", os.defpath)])
        omitted = [] if for_tests else ["--omit=dev"]
        environment = {**os.environ, "PATH": path}
        run(npm, "ci", "--ignore-scripts", "--loglevel=error", *omitted, cwd=folder, env=environment)
        shutil.rmtree(VENDOR, ignore_errors=True)
        for fetched, target in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / "node_modules" / fetched, target)
    _mark_done("vendor", sources)


def _borrowed_npm(folder: Path) -> str:
    """Return an npm that goes away with the folder."""
    say(f"No npm on this machine: borrowing the one of {NODE_REQUIREMENTS.name}")
    environment = folder / "node"
    run(sys.executable, "-m", "venv", str(environment))
    _pip_install(environment / "bin" / "python", NODE_REQUIREMENTS)
    return str(environment / "bin" / "npm")


def compile_translations() -> None:
    """Compile each catalogue that is newer than its compiled form."""
    for source in ROOT.glob("sync/locale/*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            say(f"Compiling {source.relative_to(ROOT)}")
            script = "import polib, sys; polib.pofile(sys.argv[1]).save_as_mofile(sys.argv[2])"
            run(str(VENV_PYTHON), "-c", script, str(source), str(target))


def compile_code() -> None:
    """Compile our own code where it changed, as pip has compiled the packages.

    Who starts it may not write beside it (the image, a service of its own user): each start would compile all of it.
    """
    run(str(VENV_PYTHON), "-m", "compileall", "-q", "-j", "0", "manage.py", "sync", "toolsync_site")


def collect_static_files() -> None:
    """Gather static/ and the files of the packages into staticfiles/, where the site serves them from."""
    sources = [ROOT / "requirements.txt", *sorted(path for path in (ROOT / "static").rglob("*") if path.is_file())]
    if _is_done("static", sources) and (ROOT / "staticfiles" / "staticfiles.json").exists():
        return
    say("Collecting static files")
    run(str(VENV_PYTHON), str(ROOT / "manage.py"), "collectstatic", "--noinput", "--clear", "--verbosity=0")
    _mark_done("static", sources)


# --- What is done already --------------------------------------------------------------------------------------------


def _is_done(step: str, sources: Iterable[Path]) -> bool:
    mark = VENV / f"toolsync-{step}.done"
    return mark.exists() and mark.read_text() == _fingerprint(sources)


def _mark_done(step: str, sources: Iterable[Path]) -> None:
    (VENV / f"toolsync-{step}.done").write_text(_fingerprint(sources))


def _fingerprint(sources: Iterable[Path]) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in sources:
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def say(text: str) -> None:
    print(f"==> {text}", flush=True)


def run(*command: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a command and let its output through; stop with its status if it fails."""
    # pip and npm must not wait for an answer where nobody sits.
    status = subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, check=False).returncode
    if status:
        sys.exit(f"Set-up stopped: `{' '.join(command)}` failed with status {status}; its own words are above.")


if __name__ == "__main__":
    main()
