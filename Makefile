# make demo: everything from nothing to a restored repository; make test: what CI runs.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
ifeq ($(PYTHON),)
$(error There is no python3 on the PATH; install Python 3.11 or 3.12)
endif
BIN := .venv/bin
# a worker that hangs is ended, with the stacks of all its threads, and its test fails
UNIT := -m pytest -n 4 --dist worksteal --timeout 180 --timeout-method thread tests/unit
BOOTSTRAP := $(PYTHON) include/pivo/stack/bootstrap.py

.PHONY: setup dev demo down test unit lint bench chaos docs

setup:  ## install everything, once
	@$(BOOTSTRAP)

dev:  ## setup, with what the tests and linters need
	@$(BOOTSTRAP) --dev

demo: setup  ## start the stack and do the main job on this checkout
	@$(BIN)/pivo up
	@$(BIN)/python -m pivo.demo

down:  ## stop the stack; what is stored stays
	@if [ -x $(BIN)/pivo ]; then $(BIN)/pivo down; else echo "Nothing was running."; fi

test: dev  ## all tests; those of the stack against a stack of their own. Prints what the unit tests cover
	@rm -rf .coverage && mkdir .coverage
	@$(BIN)/coverage run $(UNIT)
	@$(BIN)/coverage combine --quiet && echo "The unit tests cover $$($(BIN)/coverage report --format=total) %."
	@$(BIN)/python -m pytest --ignore tests/unit

unit: dev  ## the quick ones of the tests that need no stack, four at a time: most of them wait for a socket
	@$(BIN)/python $(UNIT) -m "not slow"

lint: dev  ## what a change must be clean of
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: setup  ## benchmarks; each prints a table
	@$(BIN)/python -m benchmarks

chaos: setup  ## kill each part of a stack of its own under load; prints what came of it (SEED=2 PARTS=kafka,forge)
	@$(BIN)/python -m chaos --seed $(or $(SEED),1) $(if $(PARTS),--parts $(PARTS)) $(if $(PAGE),--page $(PAGE))

docs: dev  ## the documentation, into site/; a warning is an error
	@$(BIN)/mkdocs build --strict --quiet
