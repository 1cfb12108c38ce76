# Every target works on a fresh clone: what it needs is set up first.
#
# PYTHON        the interpreter that .venv is made from (3.11 or newer)
# TORCH_INDEX   where pip takes torch from; empty: pip's own default. A CPU or CUDA build is chosen by its index URL.
#
# .venv/ready remembers both, so `make test` stays with what `make setup TORCH_INDEX=URL` chose. Another choice makes
# .venv anew: pip by itself would keep the torch that is there, because the version fits.

BIN := .venv/bin
READY := .venv/ready
MADE_WITH := $(or $(shell cat $(READY) 2>/dev/null),python3)
PYTHON ?= $(firstword $(MADE_WITH))
TORCH_INDEX ?= $(word 2,$(MADE_WITH))
CHOICE := $(strip $(PYTHON) $(TORCH_INDEX))
TORCH := $(shell grep '^torch==' constraints.txt)

.PHONY: setup demo test lint bench clean

setup: $(READY)

ifneq ($(CHOICE),$(MADE_WITH))
.PHONY: $(READY)
CLEAR := --clear
endif

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(CLEAR) .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	echo '$(CHOICE)' > $(READY)

demo: $(READY)
	$(BIN)/python jobs/demo.py

test: $(READY) lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m 'not slow and not gpu'

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy benchmarks/*.py

bench: $(READY)
	for name in renderer stream train_overhead generate; do $(BIN)/python benchmarks/$$name.py || exit 1; done

# What can be had again by one command; build/ holds runs.
clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
