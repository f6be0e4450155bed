# AI Factory Decision Engine. `make run` starts everything, `make test` proves it; `make help` explains the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --progress-bar off

.DEFAULT_GOAL := help
.PHONY: help run test check

help: ## What each target does
	@grep -hE '^[a-z.][a-z.-]*:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

.venv: $(VENV)/.runtime ## Set up the runtime environment only (hash-locked)

$(VENV)/.runtime: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 15) else f"Python 3.11 to 3.14 is needed; {sys.executable} is {v[0]}.{v[1]}. Try: make PYTHON=python3.12 run")'
	@echo "setting up .venv (about a minute the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --quiet --require-hashes -r requirements.lock
	@$(PIP) --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "adding the development tools ..."
	@$(PIP) --quiet --require-hashes -r requirements-dev.lock
	@touch $@

run: $(VENV)/.runtime ## Start everything: PostgreSQL, Valkey, Envoy, six services, sample plant; Ctrl-C stops it
	@$(BIN)/factoryai up

test: $(VENV)/.dev ## Run all tests on real parts, with coverage
	@$(BIN)/python -m pytest -q --cov --cov-report=term:skip-covered --cov-report=xml $(PYTEST)

.PHONY: gen release-baseline
gen: $(VENV)/.dev ## Generate stubs, descriptor set and OpenAPI from proto/
	@$(BIN)/python tools/generate.py

# Offline. `buf breaking` takes one module: third_party is vendored and judged by nobody.
check: $(VENV)/.dev ## Lint, types, layers, contract, generated code: what CI runs besides the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/buf lint
	$(BIN)/buf format -d --exit-code
	$(BIN)/buf breaking proto --against proto/released.binpb
	$(BIN)/python -m tools.check_generated

release-baseline: $(VENV)/.dev ## Make the contract as it stands the baseline of the breaking check
	@$(BIN)/buf build proto --exclude-source-info -o proto/released.binpb

.PHONY: bench-ask
bench-ask: $(VENV)/.dev ## What classify and ask cost: in process, over gRPC, through Envoy, beside a bare echo
	@$(BIN)/python bench/ask.py

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Send hostile requests to every RPC: FUZZ_INPUTS=200000 FUZZ_SEED=1
	@FUZZ_INPUTS=$${FUZZ_INPUTS:-200000} $(BIN)/python -m pytest -q -s tests/e2e/test_hostile_input.py
