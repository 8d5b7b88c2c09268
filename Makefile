# Everything runs in a virtual environment of its own, made on first use. PYTHON chooses the interpreter.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test check docs clean

demo: $(VENV)/installed ## a workspace of generated clients, scanned, with registers to open
	rm -rf mapkeeper-demo
	$(BIN)/mapkeeper demo mapkeeper-demo

test: $(VENV)/tested ## the tests, on all cores
	$(BIN)/pytest --numprocesses=auto --dist=loadfile

check: $(VENV)/developed ## what continuous integration checks beside the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/cog --check -I docs README.md docs/*.md

docs: $(VENV)/developed ## write what the pages of docs/ take from the code
	$(BIN)/cog -r -I docs README.md docs/*.md

clean:
	rm -rf $(VENV) mapkeeper-demo build dist

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/tested: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@ $(VENV)/installed

$(VENV)/developed: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@ $(VENV)/tested $(VENV)/installed
