# Everything a developer or operator types; `make` alone explains it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
# More words for pytest: make test PYTEST="tests/local -x"
PYTEST ?=
# Other words for the bench: make bench BENCH="--only latency", BENCH="--page --soak 600"
BENCH ?= --page
# The ledger to play, and more words: make replay FILE="messages.jsonl.gz --limit 100"
FILE ?=
# Other words for the faults: make faults FAULTS="--seed 7 --only kill-kafka mixed"
FAULTS ?=
# Other words for the mutants: make mutants MUTANTS="--files 'services/requests/**/model.py' --sample 10"
MUTANTS ?= --sample 5
LOCK := deploy/requirements/dev.lock
READY := .venv/.ready
# The mongod that a Python package brings, used where none is on the PATH, loads this library of the system.
MONGOD_RUNS := 'import ctypes, shutil, sys; sys.platform != "linux" or shutil.which("mongod") or ctypes.CDLL("libcurl.so.4")'

# Images of containers often forbid Python to keep what it has compiled: every process would compile all of it again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test mutants faults bench replay check docs down clean tools

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-7s %s\n", $$1, $$2}'

demo: $(READY) ## Start everything, fill it with a city, and play a first case (again: what is there is kept)
	@.venv/bin/linli demo

test: $(READY) ## Run the tests on a real Kafka, MongoDB and Envoy of their own
	@.venv/bin/pytest -n 3 $(PYTEST)

mutants: $(READY) ## Change the rules a little in hundreds of ways, and see whether a test notices (20 min)
	@.venv/bin/python -m tests.mutation $(MUTANTS)

faults: $(READY) ## Kill, freeze, cut and poison everything under load, and check that no promise breaks (12 min)
	@.venv/bin/python -m tests.faults $(FAULTS)

bench: $(READY) ## Measure speed and memory on a stack of its own (15 min), into docs/performance.md
	@.venv/bin/python -m tests.bench $(BENCH)

replay: $(READY) ## Play a ledger of real messages through the city that runs: make replay FILE=messages.jsonl.gz
	@if [ -z "$(FILE)" ]; then echo "Name the file: make replay FILE=messages.jsonl.gz" >&2; exit 2; fi
	@.venv/bin/python -m tests.replay $(FILE)

check: $(READY) ## Check format, lint, types, imports between the parts, sizes and names
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports
	@.venv/bin/python -m tests.architecture.figures
	.venv/bin/pytest tests/architecture

docs: $(READY) ## Make the pages that are generated from the code again
	@.venv/bin/python -m docs.generate

down: ## Stop what `make demo` or `linli up` started; the data stays
	@if [ -x .venv/bin/linli ]; then .venv/bin/linli down; fi

clean: down ## Stop everything and remove its data, its tools and the Python environment
	rm -rf .linli .venv

# Named before anything else is tried, all of them at once.
tools:
	@missing=""; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || missing+=" python3"; \
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || missing+=" python3-venv"; \
	java -version 2>&1 | grep -qE 'version "(1[7-9]|[2-9][0-9])' || missing+=" openjdk-17-jre-headless"; \
	mvn -v >/dev/null 2>&1 || missing+=" maven"; \
	$(PYTHON) -c $(MONGOD_RUNS) 2>/dev/null || missing+=" libcurl4"; \
	if [ -n "$$missing" ]; then \
	  echo "Linli needs Python 3.11, Java 17, Maven and libcurl. Missing or too old here: run  apt-get install$$missing" >&2; exit 2; \
	fi

# Made again only when the lock changes.
$(READY): $(LOCK) pyproject.toml | tools
	@echo "Setting up Python in .venv: about half a minute the first time."
	@[ -x .venv/bin/python ] || $(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8,<1'
	@.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r $(LOCK)
	@.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps -e .
	@touch $@
