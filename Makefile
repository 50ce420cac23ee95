# Two commands matter: make demo, make test. Everything they need is installed by the rules below.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Three on two cores: most of a device's test is waiting for a device.
SIDE_BY_SIDE ?= -n 3 --dist loadscope --no-loadscope-reorder
# Real processes share two cores here: a test that fails is run once more, and the closing line says so. Not in check.
RERUNS ?= --reruns 1
STAMP := $(VENV)/.yizhan-installed

.PHONY: demo test check bench campaign lock clean setup

demo: setup
	@$(BIN)/python -m kiosk demo --out build/demo $(DEMO)

test: setup
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(RERUNS) $(TESTS)

check: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(TESTS)

# Half an hour on two cores; a line for each test tells how far it is.
campaign: setup
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(RERUNS) -m campaign -vv --timeout 3600 $(TESTS)

bench: setup
	@$(BIN)/python -m tests.bench

lock: $(VENV)/bin/uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	    --all-extras --python-version 3.11 pyproject.toml -o requirements.lock

clean:
	rm -rf build $(VENV) .mypy_cache .ruff_cache .pytest_cache

setup: $(STAMP)

$(VENV)/bin/uv: packaging/setup.sh
	@packaging/setup.sh system
	@packaging/setup.sh venv "$(PYTHON)" "$(VENV)"

$(STAMP): $(VENV)/bin/uv requirements.lock packaging/apt-packages.txt packaging/dlib-standin/pyproject.toml
	@packaging/setup.sh system
	@packaging/setup.sh python "$(VENV)"
	@touch $@
