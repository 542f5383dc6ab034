# make run: try it. make test: check it. make chaos N=...: kill things while calls go on.
# make bench ROWS=... DB=sqlite|postgresql PARTS="pages audio": measure it, all or some of it.
# make fresh RELEASE=bookworm|trixie|forky TESTS=no|"tests/test_run.py ...": run and test what HEAD
# is in a minimal root of that Debian, with all tests, none or some of them.
PYTHON := .venv/bin/python
N ?= 50
ROWS ?= 10000000
DB ?= sqlite
PARTS ?=
RELEASE ?= trixie
TESTS ?=
LOCK := .venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --custom-compile-command 'make lock'

.PHONY: run test bench chaos fresh lock picture

run: .venv/installed
	@$(PYTHON) -m deploy.run

test: .venv/installed-for-tests
	@deploy/apt_install chromium firefox-esr nginx-light fonts-dejavu-core sip-tester
	@tests/install_postgres
	@deploy/asterisk/install >/dev/null
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m pytest -c .pytest.ini --rootdir . -n 3 --dist loadfile --reruns 2 -rfER

bench: .venv/installed-for-tests .venv/peers/installed
	@deploy/apt_install nginx-light wrk
	@tests/install_postgres
	@deploy/asterisk/install >/dev/null
	@$(PYTHON) -m tests.bench.run --rows $(ROWS) --db $(DB) $(PARTS)

chaos: .venv/installed-for-tests
	@deploy/asterisk/install >/dev/null
	@$(PYTHON) -m tests.chaos $(N)

fresh: .venv/installed-for-tests
	@tests/fresh/run $(RELEASE) $(TESTS)

# The picture of the packages, from their imports: docs/architecture.svg.
picture: .venv/installed
	@$(PYTHON) -m tests.layout.picture

# The exact releases and hashes of what the requirement files name, and of all that these need.
lock: .venv/lock/bin/uv
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
