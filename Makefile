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
INTEROPED := $(VENV)/.group-interop
BENCHED := $(VENV)/.group-bench
NPM := tests/interop/vault/npm
NPMED := $(VENV)/.npm

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

.PHONY: demo
demo: $(BUILT) ## put two candidates on trial on live traffic of this machine: one holds, one fails (ARGS=--keep)
	@$(PY) -m lockgate demo $(ARGS)

.PHONY: test
test: $(TESTED) ## run the tests (all but the slow lane)
	@REPLAY_LANE=test $(PY) -m pytest --quiet $(ARGS)
	@echo "left out: the slow lane, which 'make slow' runs"

.PHONY: slow
slow: $(TESTED) ## run the slow lane: what needs minutes
	@REPLAY_LANE=slow $(PY) -m pytest --quiet -m slow $(ARGS)

.PHONY: replay
replay: $(TESTED) ## make the decisions of the tests' rollouts again on machines set up differently, and on the oldest numpy
	@PYTHONPATH=. $(PY) tools/replay_lane.py

.PHONY: schedules
schedules: $(TESTED) ## simulate schedules of many actors and faults for SECONDS=60 and check every rule
	@PYTHONPATH=. $(PY) bench/bench_schedules.py $(or $(SECONDS),60) $(or $(SEED),0)

.PHONY: faults
faults: $(TESTED) ## kill, starve and cut off the line in every way (SHORT=1: within four minutes), and count
	@REPLAY_LANE=faults FAULTS=$(if $(SHORT),short,long) $(PY) -m pytest --quiet -m faults tests/faults $(ARGS)

.PHONY: mutants
mutants: $(TESTED) ## put small faults into what decides trust, and name those that no test notices (SAMPLE=8, MODULE=merkle)
	@$(PY) -m tools.mutants $(MODULE) $(if $(SAMPLE),--sample $(SAMPLE)) $(ARGS)

.PHONY: studies
studies: $(TESTED) ## let 300 rollouts of each kind walk through the real operations, and write down how they end
	@$(PY) -m bench.studies

.PHONY: setup-interop
setup-interop: $(INTEROPED) $(NPMED) ## the same with what `make interop` needs

# Each package by its hash in package-lock.json, which names no registry; no script of a package is run.
$(NPMED): $(NPM)/package.json $(NPM)/package-lock.json $(NPM)/.npmrc | $(VENV)/bin/python
	@echo "set-up: npm packages from $(NPM)/package-lock.json"
	@mkdir -p $(VENV)/npm && cp $^ $(VENV)/npm/
	@cd $(VENV)/npm && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

.PHONY: postgres
postgres: $(TESTED) ## run what needs a real PostgreSQL, 15 or later, which must be installed
	@REPLAY_LANE=postgres $(PY) -m pytest --quiet -m postgres tests $(ARGS)

.PHONY: interop
interop: $(INTEROPED) $(NPMED) ## let real routers, ssh-keygen, Node and other tools, which must be installed, read what we write
	@REPLAY_LANE=interop $(PY) -m pytest --quiet -m interop tests/interop $(ARGS)

.PHONY: check
check: lint types contracts docs ## lint, types, import contracts and docs

.PHONY: lint
lint: $(TESTED) ## ruff (rules, docstrings, format) and the arithmetic of the engine
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check --diff .
	@$(PY) tools/exact_arithmetic.py src/lockgate/core/stats

.PHONY: format
format: $(TESTED) ## format the code and mend what ruff can
	@$(VENV)/bin/ruff check --quiet --fix . || true
	@$(VENV)/bin/ruff format --quiet .

.PHONY: types
types: $(TESTED) $(INTEROPED) ## mypy --strict, which reads the packages that the benches and `make interop` name
	@$(VENV)/bin/mypy --no-error-summary

.PHONY: contracts
contracts: $(TESTED) ## who may import whom
	@$(VENV)/bin/lint-imports --no-logo > $(VENV)/contracts.txt || { cat $(VENV)/contracts.txt; exit 1; }

.PHONY: docs
docs: $(TESTED) ## check links, run the docs' examples, compare generated pages
	@$(PY) -m pytest --quiet -m "not slow and not faults" tests/docs
	@$(PY) -m tools.reference --check

.PHONY: reference
reference: $(TESTED) ## rewrite the generated pages of docs/reference
	@$(PY) -m tools.reference

.PHONY: bench
bench: $(BENCHED) ## measure Lockgate beside its peers, write bench/results
	@for script in bench/bench_*.py; do echo "== $$script"; PYTHONPATH=. $(PY) "$$script"; done

.PHONY: bench-calibration
bench-calibration: $(BENCHED) ## simulate the promised error rates, R = 2,000 (long)
	@$(PY) -m bench.calibration

.PHONY: bench-calibration-smoke
bench-calibration-smoke: $(TESTED) ## the same with R = 200 and wide bounds
	@$(PY) -m bench.calibration --smoke

.PHONY: clean
clean: ## remove .venv and every cache
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find src tests tools examples bench docs -name __pycache__ -type d -prune -exec rm -rf {} + 2> /dev/null || true
