# The commands of a developer. `make demo` and `make test` do all the set-up by themselves.

PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
    $$python -c '' 2>/dev/null && echo $$python && break; done)
VENV := .venv/bin
# Three, for two cores: tests often wait. Each worker starts its own servers when a test asks for them.
PYTEST_WORKERS ?= 3
ARGS ?=
LOCK_ARGS ?=

# Some images set it. Each process of the tests would compile all code anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests demo test lint audit format pytest matrix pictures bench soak assets messages docs lock clean

help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Prepare the virtual environment and everything that running needs
	@$(or $(PYTHON),$(error ToolSync needs Python 3.11: apt-get install python3)) bin/bootstrap.py

setup-tests: ## The same for tests: MariaDB, PostgreSQL, Redis, OpenLDAP and Chromium from Debian, and axe-core too
	@$(or $(PYTHON),$(error ToolSync needs Python 3.11: apt-get install python3)) bin/bootstrap.py --tests

demo: setup ## Try ToolSync on a small Moodle of its own (ARGS=--no-serve: end after the runs)
	@$(VENV)/python manage.py demo $(ARGS)

test: setup-tests lint audit pytest ## Lint, audit and all tests (ARGS: for pytest)

lint: export DJANGO_SETTINGS_MODULE = tests.settings
lint: ## ruff, import contracts, dependencies, mypy, migrations and generated pages up to date
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/lint-imports --no-cache
	$(VENV)/deptry . --config deptry.toml
	$(VENV)/mypy
	$(VENV)/python manage.py makemigrations --check --dry-run
	$(VENV)/python manage.py writedocs --check

audit: ## Compare the pinned packages with the advisories in var/advisories, where there are any
	@$(VENV)/python bin/audit.py

format: ## Let ruff put the code in shape
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

pytest:
	$(VENV)/pytest -n $(PYTEST_WORKERS) $(ARGS)

matrix: setup-tests ## The same on every server with every version of Moodle, and on every real site
	$(VENV)/pytest -n $(PYTEST_WORKERS) --every-site $(ARGS)

pictures: setup-tests ## Take the pictures of the README anew, of the demo
	$(VENV)/pytest -n 0 --pictures tests/e2e/test_pictures.py $(ARGS)

bench: setup-tests ## Measure speed against the floor, on a private MariaDB
	$(VENV)/pytest -s --no-header tests/bench $(ARGS)

soak: setup-tests ## A million rows, killed workers and all; about 20 minutes
	$(VENV)/pytest -s --no-header tests/soak $(ARGS)

assets: setup ## Fetch Bootstrap, Chart.js and DejaVu as package-lock.json pins them (part of every set-up)

messages: setup ## Bring the French catalogue up to date with the code (needs gettext)
	$(VENV)/python manage.py makemessages --locale fr --no-location --no-wrap --no-obsolete \
	  --ignore .venv --ignore var --ignore tests --ignore bin --ignore node_modules --ignore staticfiles

docs: setup ## Write the pages that are generated from the code
	$(VENV)/python manage.py writedocs

# Each file from the one of the same name; what is pinned already stays, and no server is named.
lock: export CUSTOM_COMPILE_COMMAND = make lock
lock: setup ## Pin the packages that requirements*.in ask for, with hashes (LOCK_ARGS="--upgrade-package NAME": raise one)
	@$(VENV)/python -m venv .venv-lock && .venv-lock/bin/pip install --quiet --disable-pip-version-check pip-tools==7.6.2
	@for name in requirements requirements-dev requirements-node; do \
	  .venv-lock/bin/pip-compile --quiet --generate-hashes --no-annotate --strip-extras --no-emit-index-url \
	    --no-emit-trusted-host --no-emit-find-links $(LOCK_ARGS) --output-file $$name.txt $$name.in || exit 1; done

clean: ## Take away what set-up and tests made; keeps var/, which holds your data
	rm -rf .venv .venv-lock static/vendor staticfiles node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache \
	  .hypothesis test-results htmlcov .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find sync -name '*.mo' -delete
