# Two commands do it all: `make up` starts the service, `make test` runs every check.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Hundreds of processes start in a test: each would compile what it loads anew.
unexport PYTHONDONTWRITEBYTECODE
INSTALL := $(PYTHON) -m pip --python $(BIN)/python install --quiet --no-compile --require-hashes

.DEFAULT_GOAL := help
.PHONY: help up env dev check test coverage extras lint lock docs clean bench soak fuzz

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

up: env ## Make the environment and start the service (ARGS="--port 9000" is passed on)
	@$(BIN)/primeur up $(ARGS)

env: $(VENV)/.default ## Make the environment of the service

dev: $(VENV)/.dev ## Make the environment of its developers

$(BIN)/python:
	@echo "Making $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Primeur needs Python 3.11 or newer")'
	@$$(sh recipes/quickest_python.sh $(PYTHON)) -m venv --without-pip $(VENV)

$(VENV)/.default: requirements/default.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the service needs"
	@$(INSTALL) -r requirements/build.txt -r requirements/default.txt
	@$(PYTHON) -m pip --python $(BIN)/python install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib src || true # some packages carry files for a newer Python
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.default
	@echo "Installing what its developers need"
	@$(INSTALL) -r requirements/dev.txt
	@touch $@

# WITH_EXTRAS=1: what the tests of heavy engines and of training need. PyTorch is no part of the locked environments:
# which build is right depends on the machine.
extras: dev
ifdef WITH_EXTRAS
	@$(INSTALL) -r requirements/extras.txt
	@$(PYTHON) -m pip --python $(BIN)/python install --quiet torch==2.13.0
endif

lint: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/house/check_lock.py

docs: dev ## Build the documentation into site/
	$(BIN)/zensical build --clean

check: lint ## The fast half: style, types, floors, unit and row tests, docs
	$(BIN)/pytest -q -n auto tests/house tests/unit tests/rows tests/walks
	$(MAKE) docs

test: lint extras ## Every check, on a machine with Debian packages also PostgreSQL, Chromium and Node clients
	tests/services/with_services.sh $(BIN)/pytest -n auto --dist loadgroup
	$(MAKE) fuzz
	$(MAKE) docs
	$(BIN)/pip-audit --strict --requirement requirements/default.txt --disable-pip || echo "pip-audit could not finish"

# Watching every line and branch makes the tests take two thirds longer, so it is no part of `make test`.
coverage: extras ## Every test, and which lines and branches none of them reaches
	tests/services/with_services.sh $(BIN)/pytest -n auto --dist loadgroup --cov --cov-report=term:skip-covered

bench: dev ## Measure the gateway beside nginx and other gateways (ARGS="--quick --without litellm")
	PYTHONPATH=. $(BIN)/python -m bench.gateway $(ARGS)

fuzz: dev ## Change a million inputs into wrong ones and look that nothing breaks (CASES=1000000)
	PYTHONPATH=. $(BIN)/python -m bench.fuzz --cases $(or $(CASES),1000000) --seconds $(or $(SECONDS),900)

soak: dev ## Load the gateway and watch memory, descriptors and errors (MINUTES=60)
	PYTHONPATH=. $(BIN)/python -m bench.gateway.soak --minutes $(or $(MINUTES),10)

# The developers' pins keep their extras: an older pip takes a newer release where a bare name is pinned and one of its
# extras is asked for, and then refuses it for having no hash.
lock: dev ## Write the locked requirements anew
	$(BIN)/pip-compile -q --upgrade --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras -o requirements/default.txt pyproject.toml
	$(BIN)/pip-compile -q --upgrade --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-strip-extras --extra dev --extra postgres -c requirements/default.txt -o requirements/dev.txt pyproject.toml
	mkdir -p build && sed 's/\[[a-z,]*\]==/==/' requirements/dev.txt > build/constraints.txt
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile -q --upgrade --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-strip-extras --no-annotate --extra openvino --extra ray -c build/constraints.txt -o requirements/extras.txt pyproject.toml requirements/extras.in
	$(BIN)/pip-compile -q --upgrade --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements/build.txt requirements/build.in

clean: ## Remove what was made
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache
