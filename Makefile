# make run: try it. make test: check it. make bench, make chaos N=...: measure it.
PYTHON := .venv/bin/python
N ?= 50

.PHONY: run test bench chaos

run: .venv/installed
	@$(PYTHON) -m deploy.run

test: .venv/installed-for-tests
	@deploy/apt_install chromium firefox-esr nginx-light fonts-dejavu-core sip-tester
	@tests/install_postgres
	@deploy/asterisk/install >/dev/null
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m pytest -c .pytest.ini --rootdir . -n 3 --dist loadfile

bench: .venv/installed-for-tests
	@deploy/asterisk/install >/dev/null
	@$(PYTHON) -m tests.bench.run

chaos: .venv/installed-for-tests
	@deploy/asterisk/install >/dev/null
	@$(PYTHON) -m tests.chaos $(N)

# The stamp comes last, so that an interrupted installation is done again.
.venv/installed: requirements.txt
	@deploy/venv requirements.txt
	@touch $@

.venv/installed-for-tests: tests/requirements.txt .venv/installed
	@deploy/venv tests/requirements.txt
	@touch $@
