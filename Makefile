# The only list of commands; CI calls it. Interface: docs/reference/commands.md
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
FUZZ_EXAMPLES ?= 300
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.ready-$(shell cat requirements.lock pyproject.toml Makefile | sha256sum | cut -c1-16)
DEV_READY := $(VENV)/.ready-dev-$(shell cat requirements-dev.lock requirements.lock pyproject.toml Makefile | sha256sum | cut -c1-16)
WORKER_TESTS := tests/email_worker
NODE_READY := $(WORKER_TESTS)/node_modules/.ready-$(shell cat $(WORKER_TESTS)/package-lock.json $(WORKER_TESTS)/.npmrc | sha256sum | cut -c1-16)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: start setup setup-dev browser test chaos crash fuzz check format lock bench clean

start: setup ## set everything up, then the whole product on loopback
	@exec $(BIN)/kaisoumail demo

setup: $(RUN_READY) ## what start and test share

$(RUN_READY):
	@echo "setting up .venv (once, about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes --no-deps -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.ready-[0-9a-f]* && touch $@

setup-dev: $(RUN_READY) $(DEV_READY) $(NODE_READY)

$(DEV_READY):
	@echo "adding the test tools"
	@$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	@rm -f $(VENV)/.ready-dev-* && touch $@

$(NODE_READY):
	@command -v npm >/dev/null || { echo "The Email Worker's tests need Node.js 18 or newer with npm: install them and run again." >&2; exit 1; }
	@echo "adding the Email Worker's runtime"
	@cd $(WORKER_TESTS) && npm ci --silent
	@touch $@

browser: ## Chromium for tests/browser: Debian's own
	@command -v chromium >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing Chromium"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-wqy-microhei >/dev/null; \
	  else echo "The browser tests need Chromium: install the package 'chromium' and run again." >&2; exit 1; fi; }

test: setup-dev browser check ## the whole suite; the exit status is the verdict
	@$(BIN)/python -m pytest -n 3 $(PYTEST_ARGS)

chaos: setup-dev ## the long form of the tests that the suite runs in a small size
	@KAISOUMAIL_CHAOS_DOMAINS=200 $(BIN)/python -m pytest --timeout 900 tests/walkthroughs/test_many_domains_under_trouble.py

crash: setup-dev ## twenty rounds of SIGKILL under load, both doors, both databases
	@KAISOUMAIL_CRASH_ROUNDS=20 $(BIN)/python -m pytest --timeout 3000 tests/crash

fuzz: setup-dev ## Schemathesis against our OpenAPI at length; FUZZ_EXAMPLES for each operation, three callers each
	@KAISOUMAIL_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -m pytest --timeout 3000 tests/api/test_schemathesis.py

check: setup-dev ## format, lint, types, import contracts
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(WORKER_TESTS)/node_modules/.bin/tsc --project $(WORKER_TESTS)
	@$(BIN)/lint-imports --no-logo >/tmp/kaisoumail-imports.$$$$ || { cat /tmp/kaisoumail-imports.$$$$; exit 1; }

format: setup-dev ## let ruff put things in order
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: ## resolve again and write the hash-pinned locks (needs uv on the PATH)
	@uv pip compile pyproject.toml --group build --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 -q -o requirements.lock
	@uv pip compile pyproject.toml --group build --group dev -c requirements.lock --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 -q -o requirements-dev.lock

bench: setup-dev ## the benchmarks, with a table at the end
	@$(BIN)/python -m benches $(BENCH)

clean: ## forget everything that was set up or stored
	rm -rf $(VENV) $(WORKER_TESTS)/node_modules var
