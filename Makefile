# SPDX-License-Identifier: Apache-2.0
# `make` lists the targets. Each one sets up what it needs, from requirements.lock, into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
BUILT := $(VENV)/.group-build
TESTED := $(VENV)/.group-test
BENCHED := $(VENV)/.group-bench

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-26s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(TESTED) ## make .venv with everything that tests and checks need

# A group is installed by its own hashed part of the lock file: nothing is resolved, nothing unhashed is taken.
$(VENV)/.group-%: requirements.lock pyproject.toml tools/lock.py | $(VENV)/bin/python
	@echo "set-up: $* packages from requirements.lock"
	@$(PY) tools/lock.py $* > $(VENV)/$*.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes -r $(VENV)/$*.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lockgate needs Python 3.11 or later: make PYTHON=python3.x")'
	@$(PYTHON) -m venv $(VENV)

.PHONY: lock
lock: $(VENV)/.group-lock ## rewrite requirements.lock from pyproject.toml (UPGRADE=1 for newer versions)
	@$(VENV)/bin/uv pip compile pyproject.toml $(foreach group,build test interop bench lock,--group $(group)) \
	  --no-config --universal --python-version 3.11 --generate-hashes --quiet $(if $(UPGRADE),--upgrade) \
	  --custom-compile-command 'make lock' --output-file requirements.lock > /dev/null
