# Two commands for a new user: `make demo` and `make test`. Plain venv and pip, no compiler.
#
# Every environment is stamped: it is installed again only when pyproject.toml or its constraints change.

VENV := .venv
OLDEST := .venv-oldest
BIN := $(VENV)/bin
INSTALL := -m pip --disable-pip-version-check install --quiet --only-binary :all:

.PHONY: help demo test lint types imports doctest docs pytest bench test-oldest clean

help:
	@echo "make demo         install latax into $(VENV) and run the demonstration study"
	@echo "make test         lint, types, import contracts, doctests, documentation, tests"
	@echo "make lint         lint and formatting only"
	@echo "make docs         build the documentation in docs/_build/html"
	@echo "make bench        run the benchmarks"
	@echo "make test-oldest  run the tests on the oldest supported versions, in $(OLDEST)"
	@echo "make clean        remove the environments and everything that was built"
	@echo "PYTHON=/path/to/python names the Python to use (3.11 or newer)."

demo: $(VENV)/.stamp-run
	$(BIN)/latax study demo

test: lint types imports doctest docs pytest

lint: $(VENV)/.stamp-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.stamp-dev
	$(BIN)/pyright --pythonpath $(BIN)/python

imports: $(VENV)/.stamp-dev
	$(BIN)/lint-imports

doctest: $(VENV)/.stamp-dev
	$(BIN)/python -m pytest --doctest-modules src

docs: $(VENV)/.stamp-dev
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "The documentation is in docs/_build/html/index.html"

pytest: $(VENV)/.stamp-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

bench: $(VENV)/.stamp-run
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python "$$file" || exit 1; done

test-oldest: $(OLDEST)/.stamp
	$(OLDEST)/bin/python -m pytest

clean:
	rm -rf $(VENV) $(OLDEST) .cache build dist docs/_build
	rm -rf .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The build backend is installed first and then used without isolation, so that it is pinned like everything else.
$(VENV)/.stamp-run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing latax in $(VENV)"
	@$(BIN)/python $(INSTALL) -c constraints.txt hatchling
	@$(BIN)/python $(INSTALL) -c constraints.txt --no-build-isolation -e .
	@touch $@

$(VENV)/.stamp-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing latax and its tools in $(VENV)"
	@$(BIN)/python $(INSTALL) -c constraints.txt hatchling
	@$(BIN)/python $(INSTALL) -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $(VENV)/.stamp-run $@

$(OLDEST)/.stamp: pyproject.toml constraints-oldest.txt | $(OLDEST)/bin/python
	@echo "Installing the oldest supported versions in $(OLDEST)"
	@$(OLDEST)/bin/python $(INSTALL) -c constraints-oldest.txt hatchling
	@$(OLDEST)/bin/python $(INSTALL) -c constraints-oldest.txt --no-build-isolation -e '.[test]'
	@touch $@

$(BIN)/python $(OLDEST)/bin/python:
	@PYTHON="$(PYTHON)" sh scripts/make-venv $(@:/bin/python=)
