# `make help` lists the targets: what stands behind each `##`.
PYTHON := .venv/bin/python
# More at a time than there are cores: a call and a page have to be waited for.
PYTEST := $(PYTHON) -m pytest -c .pytest.ini --rootdir . -n 6 --dist loadgroup --no-loadscope-reorder
N ?= 50
ROWS ?= 10000000
DB ?= sqlite
PARTS ?=
RELEASE ?= trixie
TESTS ?=
LOCK := .venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --custom-compile-command 'make lock'

.PHONY: help run install test test-fast test-long lint types bench chaos fresh lock picture

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

run: .venv/installed ## try it: everything that Callytics needs on this machine, then Callytics
	@$(PYTHON) -m deploy.run

# Everything that the tests need. Quick when it is there. Playwright's driver needs libatomic1.
install: .venv/installed-for-tests
	@deploy/apt_install chromium firefox-esr nginx-light fonts-dejavu-core sip-tester libatomic1
	@tests/install_postgres
	@deploy/asterisk/install >/dev/null

test: install lint types ## check everything: style, types and all tests but the long ones
	$(PYTEST) -m "not long"

test-fast: .venv/installed-for-tests ## the tests without Asterisk, browser, PostgreSQL and other programs
	$(PYTEST) -n auto -m "not asterisk and not browser and not postgres and not process and not slow and not long"

test-long: install ## the tests that take long, then N calls while everything dies again and again
	$(PYTEST) -m long
	@$(PYTHON) -m tests.chaos $(N)

lint: .venv/installed-for-tests ## style and format
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check

types: .venv/installed-for-tests ## types, strictly
	$(PYTHON) -m mypy

bench: .venv/installed-for-tests .venv/peers/installed ## measure it: ROWS=... DB=sqlite|postgresql PARTS="pages audio"
	@deploy/apt_install nginx-light wrk
	@command -v npm >/dev/null || deploy/apt_install nodejs npm
	@tests/install_postgres
	@deploy/asterisk/install >/dev/null
	@$(PYTHON) -m tests.bench.run --rows $(ROWS) --db $(DB) $(PARTS)

chaos: .venv/installed-for-tests ## kill things while calls go on: N=... calls, PBXS=... PBXs
	@deploy/asterisk/install >/dev/null
	@$(PYTHON) -m tests.chaos $(N) $(PBXS)

fresh: .venv/installed-for-tests ## run and test HEAD in a minimal Debian: RELEASE=trixie TESTS=no|"tests/..."
	@tests/fresh/run $(RELEASE) $(TESTS)

picture: .venv/installed ## draw the packages by their imports: docs/architecture.svg
	@$(PYTHON) -m tests.layout.picture

lock: .venv/lock/bin/uv ## write down releases and hashes of all that the requirement files need
	@$(LOCK) requirements.txt -o requirements-lock.txt
	@$(LOCK) -c requirements-lock.txt tests/requirements.txt -o tests/requirements-lock.txt
	@$(LOCK) -c requirements-lock.txt tests/bench/requirements.txt -o tests/bench/requirements-lock.txt

.venv/lock/bin/uv: .venv/installed
	@$(PYTHON) -m venv .venv/lock
	@.venv/lock/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

# The stamp comes last, so that an interrupted installation is done again.
.venv/installed: requirements-lock.txt
	@deploy/venv requirements-lock.txt
	@touch $@

.venv/installed-for-tests: tests/requirements-lock.txt .venv/installed
	@deploy/venv tests/requirements-lock.txt
	@touch $@

.venv/peers/installed: tests/bench/requirements-lock.txt .venv/installed
	@$(PYTHON) -m venv .venv/peers
	@.venv/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
