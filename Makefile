# `make` lists the targets. Needs make and Python 3.11 or newer; everything else goes into $(VENV).

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check serve bench notebooks studio clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.gateway ## Route 600 prompts through a real gateway to simulated models; show cost and learning
	$(BIN)/x25 demo

# A suite in many processes: without bytecode on disk each would compile every file it imports.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.dev ## Run the tests, less the slow ones and the rules of the house (make check)
	$(BIN)/pytest -m "not train and not slow and not studio and not clients and not browser" -n auto --dist worksteal --ignore tests/house

check: $(VENV)/.dev ## Lint, formatting, types, import directions, and the rules of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	mkdir -p .types && ln -sfn .. .types/x25
	cd .types && $(abspath $(BIN))/mypy --config-file ../pyproject.toml -p x25
	$(BIN)/lint-imports
	$(BIN)/pytest -q -m "not slow" tests/house

serve: $(VENV)/.gateway ## Start the gateway on http://localhost:8000
	$(BIN)/x25 serve

bench: $(VENV)/.gateway ## Measure what the gateway adds to a call, and how that grows
	$(BIN)/python -m x25.bench.added_latency --rounds 3 --pairs 200 --seconds 3
	$(BIN)/python -m x25.bench.overload
	$(BIN)/python -m x25.bench.verify_chain
	$(BIN)/python -m x25.bench.reports
	$(BIN)/python -m x25.bench.pages --calls 20000
	$(BIN)/python -m x25.bench.sessions --rounds 1
	$(BIN)/python -m x25.bench.decision
	$(BIN)/python -m x25.bench.posteriors --orgs 2000
	$(BIN)/python -m x25.bench.provider_client
	$(BIN)/python -m x25.bench.growth --quick --calls 50
	$(BIN)/python -m x25.bench.store

notebooks: $(VENV)/.dev ## Execute the notebooks
	$(BIN)/pytest -m slow tests/test_notebooks.py

studio: $(VENV)/.dev ## Open the graph in LangGraph Studio
	$(BIN)/langgraph dev

clean: ## Remove the environment, caches and build output; keeps .x25
	rm -rf $(VENV) .types build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "x25 needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

# Stamps: what is installed was installed from this pyproject.toml.
$(VENV)/.gateway: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[gateway,terminal]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@ $(VENV)/.gateway
