# Two commands matter: `make demo` and `make test`. Both make .venv by themselves.
#
# The virtual environment is made once, by the first CPython 3.9 to 3.13 that
# tools/find_python.sh finds (PYTHON=... chooses another): with TensorFlow 2.15.1 from
# constraints.txt, on 3.12 and 3.13 with 2.21.0 from constraints-tf2.21.txt, where
# tf.estimator comes through `estimator-ckpt run`.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# For the shell, in a recipe: what Python runs a program that uses tf.estimator with.
RUN := $$($(BIN)/python -c "import sys; print('-m estimator_ckpt run' if sys.version_info >= (3, 12) else '')")
# For mypy: the version in pyproject.toml, but on 3.12 and 3.13 the one that runs it, since
# the NumPy of constraints-tf2.21.txt declares its types in the syntax of 3.12.
TYPES_OF := $$($(BIN)/python -c "import sys; print('--python-version=%d.%d' % sys.version_info[:2] if sys.version_info >= (3, 12) else '')")
CONSTRAINTS := $$($(BIN)/python -c "import sys; print('constraints-tf2.21.txt' if sys.version_info >= (3, 12) else 'constraints.txt')")
# Every process compiles what has no bytecode beside it; pytest keeps its tests so, too.
unexport PYTHONDONTWRITEBYTECODE
export CUDA_VISIBLE_DEVICES := -1
export TF_CPP_MIN_LOG_LEVEL := 2

.PHONY: help demo leaving tutorial docs test quick check types format install compat soak fuzz bench dist clean

help: ## Show what each target does
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP) ## Make .venv with everything that tests and demo need

$(STAMP): constraints.txt constraints-tf2.21.txt setup.py pyproject.toml tools/find_python.sh
	@set -e; \
	if [ ! -x $(BIN)/python ]; then \
	  python="$$(bash tools/find_python.sh)"; \
	  echo "Making $(VENV) with $$("$$python" --version) ($$python)"; \
	  "$$python" -m venv $(VENV); \
	fi
	@echo "Installing the pinned packages of $(CONSTRAINTS) (TensorFlow is 0.5 GB: a few minutes, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --config-settings editable_mode=compat --constraint $(CONSTRAINTS) --editable '.[estimator,examples,dev]'
	@$(BIN)/python -m compileall -q estimator_ckpt
	@touch $@

demo: $(STAMP) ## Warm-start a TF2-saving job from a real TF1 model dir
	@$(BIN)/python $(RUN) -m examples.demo

leaving: $(STAMP) ## Go from a TF1 model dir to model.fit, with a plot of the loss
	@$(BIN)/python $(RUN) -m examples.leaving_estimator

tutorial: $(STAMP) ## Run docs/tutorial.ipynb and write its outputs (a minute)
	@$(BIN)/python $(RUN) -m examples.tutorial

# In an environment of its own: its pins would fight with those of constraints.txt.
DOCS := .venvs/docs
docs: $(DOCS)/.installed ## Make the site of the docs in build/site, links checked
	@# Not --quiet: where warnings are not shown, --strict does not count them.
	@log="$$(NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict 2>&1)" || { echo "$$log"; exit 1; }
	@echo "The site: build/site/index.html"

$(DOCS)/.installed: constraints-docs.txt tools/find_python.sh
	@python="$$(bash tools/find_python.sh)" && "$$python" -m venv $(DOCS)
	@$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check \
	  --requirement constraints-docs.txt
	@touch $@

test: $(STAMP) ## Run the tests (under 8 minutes on 2 cores)
	@echo "Running the tests"
	@$(BIN)/python $(RUN) -m pytest -q --numprocesses=4 --dist=worksteal $(PYTEST_ARGS)

quick: $(STAMP) ## Run the tests that need no TensorFlow (under 90 seconds on 2 cores)
	@$(BIN)/python -m pytest -q --numprocesses=3 --dist=worksteal --without-tensorflow $(PYTEST_ARGS)

compat: $(STAMP) ## Read results back, and train, with other TensorFlows (1.15.5 to 2.21.0)
	@bash tools/compat_venvs.sh $(VENVS)
	@$(BIN)/python -m pytest -q -rs -m compat $(or $(COMPAT),tests/compat)

soak: $(STAMP) ## Run the long crash and fuzz tests (about 20 minutes)
	@$(BIN)/python -m pytest -q -m soak
	@$(MAKE) --no-print-directory fuzz

fuzz: $(STAMP) ## Fuzz the reader for FUZZ_SECONDS (default 120)
	@$(BIN)/python -m tests.fuzz.bundle --seconds=$(or $(FUZZ_SECONDS),120)
	@$(BIN)/python -m tests.fuzz.small_files --seconds=$(or $(FUZZ_SECONDS),120)

bench: $(STAMP) ## Measure against what people would use instead
	@$(BIN)/python -m benchmarks.run

check: $(STAMP) ## Lint, check the format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory types

types: $(STAMP) ## Check types
	@$(BIN)/mypy $(TYPES_OF)

format: $(STAMP) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

dist: $(STAMP) ## Build the wheel and the source archive into dist/, and check them
	@rm -rf dist
	@log="$$($(BIN)/python -m build 2>&1)" || { echo "$$log"; exit 1; }; \
	if grep -E "^(WARNING|warning:)|Warning:" <<< "$$log"; then echo "The build warns"; exit 1; fi
	@bash tools/check_dist.sh

clean: ## Remove the virtual environments and what was built
	rm -rf .venv .venvs build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
