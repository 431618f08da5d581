# Each target sets up what it needs, on a bare Debian too, and does so only once.
VENV ?= .venv
export VENV
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint types docs environment system clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: system $(VENV)/.installed-package ## encode, export, predict and decode the record's symbol
	$(BIN)/nanoqr demo $(ARGS)

# There is a worker for each core: threads of their products would only wait for each other. And
# what is imported is compiled once, not again in each worker and in each process of a test.
test: export OMP_NUM_THREADS := 1
test: export PYTHONDONTWRITEBYTECODE :=
test: system $(VENV)/.installed-test ## run the tests; ARGS="-k pattern" goes to pytest
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

lint: $(VENV)/.installed-lint ## check style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.installed-lint ## check the types
	$(BIN)/mypy

# -E reads every page anew: a page in Sphinx's cache no longer tells its warnings.
docs: $(VENV)/.installed-docs ## build the docs into docs/_build/html
	$(BIN)/sphinx-build -E -W --keep-going --quiet -b html docs docs/_build/html

environment: system $(VENV)/.installed-test $(VENV)/.installed-lint $(VENV)/.installed-docs ## install all that the other targets need

system: ## install the system libraries that are missing, on Debian and Ubuntu
	@.ci/system-libraries

clean: ## remove the environment, caches and builds; results such as nanoqr-demo stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist docs/_build
	find src tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp tells that an installation is complete and as new as pyproject.toml.
$(VENV)/.installed-package: pyproject.toml
	.ci/python-environment package
	@touch $@

$(VENV)/.installed-%: pyproject.toml | $(VENV)/.installed-package
	.ci/python-environment $*
	@touch $@
