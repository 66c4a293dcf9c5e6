# The only list of commands; CI calls it. Interface: docs/reference/commands.md
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
FUZZ_EXAMPLES ?= 300
LINEAR_EXAMPLES ?= 200
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.ready-$(shell cat requirements.lock pyproject.toml Makefile | sha256sum | cut -c1-16)
DEV_READY := $(VENV)/.ready-dev-$(shell cat requirements-dev.lock requirements.lock pyproject.toml Makefile | sha256sum | cut -c1-16)
WORKER_TESTS := tests/email_worker
NODE_READY := $(WORKER_TESTS)/node_modules/.ready-$(shell cat $(WORKER_TESTS)/package-lock.json $(WORKER_TESTS)/.npmrc | sha256sum | cut -c1-16)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

PROGRAMS := PYTHON=$(PYTHON) .ci/programs

.PHONY: start setup setup-dev programs programs-setup-dev test chaos crash in-flight matrix siege linear fuzz check format lock bench bare clean

start: setup ## set everything up, then the whole product on loopback
	@exec $(BIN)/kaisoumail demo

setup: $(RUN_READY) ## what start and test share

$(RUN_READY):
	@$(PROGRAMS) setup
	@echo "setting up .venv (once, about a minute)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --require-hashes --no-deps -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.ready-[0-9a-f]* && touch $@

setup-dev: programs-setup-dev $(RUN_READY) $(DEV_READY) $(NODE_READY)

$(DEV_READY):
	@echo "adding the test tools"
	@$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	@rm -f $(VENV)/.ready-dev-* && touch $@

$(NODE_READY):
	@echo "adding the Email Worker's runtime"
	@cd $(WORKER_TESTS) && npm ci --silent
	@touch $@

programs: ## every program of programs.txt is there: root installs what is missing, others are told
	@$(PROGRAMS) test

programs-setup-dev:
	@$(PROGRAMS) setup-dev

test: programs setup-dev check ## the whole suite; the exit status is the verdict
	@$(BIN)/python -m pytest -n 4 $(PYTEST_ARGS)

chaos: setup-dev ## the long form of the tests that the suite runs in a small size
	@KAISOUMAIL_CHAOS_DOMAINS=200 $(BIN)/python -m pytest --timeout 900 tests/walkthroughs/test_many_domains_under_trouble.py

crash: setup-dev ## twenty rounds of SIGKILL under load on both databases, and one after every step of every job
	@KAISOUMAIL_CRASH_ROUNDS=20 KAISOUMAIL_KILLED=every $(BIN)/python -m pytest --timeout 3000 tests/crash tests/workflows/test_killed_after_each_step.py

in-flight: setup-dev ## 50 binds and 200 mailboxes in three processes, PostgreSQL gone for 20 s, one killed; many who ask at once
	@KAISOUMAIL_IN_FLIGHT=long $(BIN)/python -m pytest --timeout 3000 tests/walkthroughs/test_in_flight.py tests/walkthroughs/test_at_once.py

matrix: setup-dev ## every job under every fault at every point, both databases, with a table; MATRIX=… picks cells, docs/how-it-works/jobs.md
	@$(BIN)/python -m tests.matrix

siege: setup-dev ## strangers attack a server while ordinary clients are measured; SIEGE=… picks attacks, docs/how-it-works/siege.md
	@$(BIN)/python -m tests.siege

fuzz: setup-dev ## Schemathesis against our OpenAPI at length; FUZZ_EXAMPLES for each operation, three callers each
	@KAISOUMAIL_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -m pytest --timeout 3000 tests/api/test_schemathesis.py

linear: setup-dev ## how the cost of each step of reading grows; LINEAR_EXAMPLES texts for each
	@KAISOUMAIL_LINEAR_EXAMPLES=$(LINEAR_EXAMPLES) $(BIN)/python -m pytest --timeout 3000 tests/parsing/test_linear.py

check: setup-dev ## format, lint, types, import contracts
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(WORKER_TESTS)/node_modules/.bin/tsc --project $(WORKER_TESTS)
	@said=$$($(BIN)/lint-imports --no-logo) || { echo "$$said"; exit 1; }

format: setup-dev ## let ruff put things in order
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: ## resolve again and write the hash-pinned locks (needs uv on the PATH)
	@uv pip compile pyproject.toml --group build --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 -q -o requirements.lock
	@uv pip compile pyproject.toml --group build --group dev -c requirements.lock --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 -q -o requirements-dev.lock

bare: ## the two commands on a bare Debian 12: as root, as an ordinary user, over a stale tree; BARE=root|user|stale
	@BARE='$(BARE)' PYTEST_ARGS='$(PYTEST_ARGS)' .ci/bare

bench: setup-dev ## the benchmarks, with a table at the end
	@$(BIN)/python -m benches $(BENCH)

clean: ## forget everything that was set up or stored
	rm -rf $(VENV) $(WORKER_TESTS)/node_modules var
