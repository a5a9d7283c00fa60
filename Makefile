# Stead. `make run` and `make test` are all that a newcomer needs.
# On a fresh machine: Python 3.11+, git, make. The uv that wrote the lock is installed into .uv/.

PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .uv/bin/uv
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
# Tests wait more than they compute: three processes keep two cores at work.
TEST_PROCESSES ?= 3

.PHONY: help run test check lint types layers sql tests format bench setup setup-dev clean

help: ## What there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: setup ## Install, then database, API and worker with a demo tenant
	@$(BIN)/stead up

test: setup-dev ## Install what tests need, then the whole gate
	@$(MAKE) --no-print-directory check

check: lint types layers sql tests ## The gate

setup: .venv/.installed

setup-dev: .venv/.installed-dev

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit("Stead needs Python 3.11 or later; this is %d.%d. Try: make PYTHON=python3.12 …" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .uv || { echo "python's venv module is missing: on Debian, apt install python3-venv"; exit 1; }
	@.uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.installed: pyproject.toml uv.lock $(UV)
	@UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --quiet --locked --no-dev --inexact --compile-bytecode --python $(PYTHON)
	@touch $@

.venv/.installed-dev: pyproject.toml uv.lock $(UV)
	@UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --quiet --locked --all-extras --compile-bytecode --python $(PYTHON)
	@touch $@ .venv/.installed

lint: ## Style
	@$(BIN)/ruff check src tests benchmarks tools
	@$(BIN)/ruff format --check --quiet src tests benchmarks tools

types: ## Types, strict on src
	@$(BIN)/pyright

layers: ## Dependencies run downward only
	@$(BIN)/lint-imports --no-logo > .venv/layers.log || { cat .venv/layers.log; exit 1; }

sql: ## Migrations are safe to apply
	@$(BIN)/squawk src/stead/db/migrations/*.sql

tests: ## Tests, side by side in a few processes
	@$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile -q

format: setup-dev ## Format and fix what can be fixed
	@$(BIN)/ruff check --fix --quiet src tests benchmarks tools || true
	@$(BIN)/ruff format src tests benchmarks tools

bench: setup-dev ## Benchmarks, one JSON line each
	@for name in startup rls_overhead memory_recall chat_overhead jobs_drain jobs_latency fairness sse_fanout; do echo "$$name"; $(BIN)/python -m benchmarks.$$name | tail -n 1; done

clean: ## Remove what was installed and built (not the data in .stead)
	rm -rf .venv .uv dist build .pytest_cache .ruff_cache .hypothesis .import_linter_cache tests/clients/node_modules clients/typescript/node_modules clients/typescript/dist \
		examples/web/node_modules examples/web/dist
