# Two commands do everything: `make demo` and `make test`. They need python3 (3.11 or newer), pip and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_HOME ?= demo/warehouse
SERVE ?= 1
PORT ?= 8501
BACKEND ?=
UV_VERSION := 0.13.8
# Where this is set, as in many containers, Python would compile every module anew at every start: seconds each time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test coverage fast compat setup setup-dev lint lock benchmarks clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# The house model draws the scenes where its weights are, which takes torch; else, and with BACKEND=procedural, they are
# rendered in code.
HOUSE := $(wildcard generation/house/weights/diffusion/model_index.json)
demo: $(VENV)/$(if $(filter procedural,$(or $(BACKEND),$(if $(HOUSE),house,procedural))),.core,.creative) ## Run the whole loop on the example campaign and serve the dashboard (SERVE=0: only run)
	@$(BIN)/proofsheet --home $(DEMO_HOME) demo --out demo/exports $(if $(BACKEND),--backend $(BACKEND))
ifneq ($(SERVE),0)
	@$(BIN)/proofsheet --home $(DEMO_HOME) serve --port $(PORT)
endif

test: $(VENV)/.dev lint ## Set up and run lint, types, import contracts and every test
	@$(BIN)/python -m pytest -n $(or $(WORKERS),auto) --dist loadscope $(ARGS)

coverage: $(VENV)/.dev ## Run every test and list the lines that none reaches; takes a third longer
	@$(BIN)/coverage erase
	@$(BIN)/python -m pytest -n $(or $(WORKERS),auto) --dist loadscope --cov --cov-report=term-missing $(ARGS)

fast: $(VENV)/.dev ## Only the quick tests: no model, browser, process of its own or long work
	@$(BIN)/python -m pytest -q -n $(or $(WORKERS),auto) -m "not models and not browser and not processes and not slow" $(ARGS)

compat: $(VENV)/.dev ## Run the warehouse's tests on DuckDB 1.5, the maintained older line
	@$(BIN)/uv venv --quiet --clear $(VENV)-duckdb15
	@$(BIN)/uv pip install --quiet --python $(VENV)-duckdb15/bin/python -e . --group dev "duckdb>=1.5,<2"
	@$(VENV)-duckdb15/bin/python -m pytest -q tests/warehouse_store tests/warehouse_tables $(ARGS)

lint: $(VENV)/.dev ## Lint, format, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

setup: $(VENV)/.creative ## Install everything there is to work with, diffusion and CLIP included
setup-dev: $(VENV)/.dev ## Only install what the tests need

benchmarks: $(VENV)/.dev ## Run the benchmarks; each writes its figures to docs/benchmarks/
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Proofsheet needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)" \
	  || echo "uv could not be installed; going on with pip, which takes longer"

# Installs a lock file, by uv when it is there, else by pip; both check every hash.
define install
	@if [ -x $(BIN)/uv ]; then \
	  $(BIN)/uv pip install --python $(BIN)/python --require-hashes -r $(1) \
	  && $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e . ; \
	else \
	  $(BIN)/python -m pip install --require-hashes -r $(1) \
	  && $(BIN)/python -m pip install --quiet --no-deps -e . ; \
	fi
	@touch $@
endef

$(VENV)/.core: requirements/core.lock pyproject.toml
	@[ -x $(BIN)/python ] || $(MAKE) --no-print-directory $(BIN)/uv
	@echo "Installing the locked packages"
	$(call install,requirements/core.lock)

$(VENV)/.creative: requirements/creative.lock pyproject.toml
	@[ -x $(BIN)/python ] || $(MAKE) --no-print-directory $(BIN)/uv
	@echo "Installing the locked packages, torch among them: about 6 GB on Linux (CUDA comes with it), less elsewhere; once"
	@echo "(without torch: make demo BACKEND=procedural)"
	$(call install,requirements/creative.lock)
	@touch $(VENV)/.core

$(VENV)/.dev: requirements/dev.lock pyproject.toml
	@[ -x $(BIN)/python ] || $(MAKE) --no-print-directory $(BIN)/uv
	@echo "Installing the locked packages (torch and its parts are some gigabytes, once)"
	$(call install,requirements/dev.lock)
	@touch $(VENV)/.core $(VENV)/.creative

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --custom-compile-command "make lock"

lock: $(BIN)/uv ## Resolve the versions anew into requirements/*.lock
	@$(BIN)/$(COMPILE) pyproject.toml -o requirements/core.lock
	@$(BIN)/$(COMPILE) pyproject.toml --extra creative -c requirements/core.lock -o requirements/creative.lock
	@$(BIN)/$(COMPILE) pyproject.toml --extra creative --group dev -c requirements/creative.lock -o requirements/dev.lock

clean: ## Remove the demo's warehouse and exports
	@rm -rf demo
