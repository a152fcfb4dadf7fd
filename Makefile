# From nothing to answers. `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# Settings may stand in a file .env (see .env.example); what the environment says goes before it.
WITH_ENV = if [ -f .env ]; then before=$$(export -p); set -a; . ./.env; set +a; eval "$$before"; fi;

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test check gate bench clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

setup: $(INSTALLED)  ## .venv with the locked packages, tokenizer files and weights; what is there already is kept
	@$(WITH_ENV) $(BIN)/python scripts/setup_models.py

run: setup  ## index the corpus if it changed, then serve
	$(WITH_ENV) $(BIN)/rag ingest "$${RAG_CORPUS_DIR:-corpus/documents}" --prune
	$(WITH_ENV) exec $(BIN)/rag serve

test: setup  ## all tests
	$(BIN)/pytest

check: $(INSTALLED)  ## lint, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Judged as shipped: no setting of the environment or of .env plays a part but where the models lie. RUNS is where runs
# and reports are kept. Both gates are heard before the target fails.
RUNS ?= runs/gate
JUDGE = env $$(env | sed -n 's/^\(RAG_[A-Z_]*\)=.*/-u \1/p' | grep -v RAG_MODEL_DIR) $(BIN)/evals
gate: setup  ## judge the service on the gold questions, with no key and no network; red if it got worse
	rm -rf $(RUNS)
	$(JUDGE) run --model extractive --out $(RUNS)/extractive
	$(JUDGE) run --model cassette --out $(RUNS)/cassette
	for mode in extractive cassette; do \
	  $(JUDGE) report $(RUNS)/$$mode --html $(RUNS)/$$mode.html --junit $(RUNS)/$$mode.xml --markdown $(RUNS)/$$mode.md; done
	red=0; for mode in extractive cassette; do $(JUDGE) gate $(RUNS)/$$mode || red=$$?; done; exit $$red

bench: setup  ## the benchmarks
	$(WITH_ENV) $(BIN)/python scripts/benchmark.py

clean:  ## remove what set-up and tools made here; index (.data) and weights (.models) stay
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find rag evals tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is taken away first and written last: an installation cut short leaves packages that only look complete, so
# without a stamp the environment is made afresh (downloads are in pip's cache by then).
$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, $(PYTHON) is not; name another: make setup PYTHON=python3.12" >&2; exit 1; }
	@test -f $@ || $(PYTHON) -m venv --clear $(VENV)
	@rm -f $@
	@echo "installing the packages of requirements.lock (about two minutes the first time) ..." >&2
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
