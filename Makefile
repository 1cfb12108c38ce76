# Every target works on a fresh clone: what it needs is set up first.
#
# PYTHON        the interpreter that .venv is made from (3.11 or newer)
# TORCH_INDEX   where pip takes torch from; empty: pip's own default. A CPU or CUDA build is chosen by its index URL.

PYTHON ?= python3
TORCH_INDEX ?=

BIN := .venv/bin
READY := .venv/ready
TORCH := $(shell grep '^torch==' constraints.txt)

.PHONY: setup demo test lint bench clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

demo: $(READY)
	$(BIN)/python jobs/demo.py

test: $(READY) lint
	$(BIN)/python -m pytest -m 'not slow and not gpu'

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	for name in renderer stream train_overhead; do $(BIN)/python benchmarks/$$name.py || exit 1; done

clean:
	rm -rf .venv build
