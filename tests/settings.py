"""Settings of the tests: the project's own, with an environment that is empty and a folder that is thrown away."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent

# A developer's own .env or exported variables must not lead the tests to a real database.
for _name in re.findall(r"^#?\s?([A-Z_]+)=", (_ROOT / ".env.example").read_text(), re.MULTILINE):
    os.environ.pop(_name, None)
os.environ["TOOLSYNC_ENV_FILE"] = os.devnull

# Child processes (pytest-xdist's workers, a real Celery worker) inherit the folder; its maker takes it away.
if "TOOLSYNC_TESTS_FOLDER" not in os.environ:
    os.environ["TOOLSYNC_TESTS_FOLDER"] = tempfile.mkdtemp(prefix="toolsync-tests-")
    atexit.register(shutil.rmtree, os.environ["TOOLSYNC_TESTS_FOLDER"], ignore_errors=True)
os.environ["TOOLSYNC_VAR"] = str(
    Path(os.environ["TOOLSYNC_TESTS_FOLDER"]) / os.environ.get("PYTEST_XDIST_WORKER", "main")
)

from toolsync_site.settings import *  # noqa: E402, F403
from toolsync_site.settings import DATABASES, STORAGES, VAR_DIR, env  # noqa: E402

# Our own tables on another server: TEST_DATABASE_URL=mysql://... make test
if "TEST_DATABASE_URL" in os.environ:
    DATABASES["default"] = env.db_url("TEST_DATABASE_URL")
else:
    # A file, as in the embedded default: a database in memory has one connection for all threads and no locks.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}

# Reads straight from static/; tests/test_project.py checks that the manifest can be made.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True

# Our own users only; Moodle's passwords are hashed in earnest.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AXES_ENABLED = False
# Most tests are about what comes after; those of limits and confirmations switch them on.
TOOLSYNC_GUARD = False
# No worker is there for most of them.
TOOLSYNC_ANSWER_SECONDS = 0
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
