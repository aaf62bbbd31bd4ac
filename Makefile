# make demo   run the main job on the generated sample and build its leaderboard below build/
# make test   run every test but those of `make campaign` and of extras that are not installed
# make test-extras  run the tests that need other extras than dev, each group of extras in an environment of its own
# make check  lint, formatting, types and import contracts
# make test-again  run `make test` TIMES times (10) on a fresh clone with CI=true, in turn with each number of WORKERS (1 2 4)
# make campaign  kills, full disks, damaged files and hostile texts by the hundred, then the tests marked `campaign`; hours
# make docs   build the documentation as a site, build/site; `python3 -m http.server -d build/site` shows it
# make picture  draw docs/board.png, the picture of a board in the README, anew from leaderboards/ (needs chromium)
#
# Each of them first makes .venv and installs into it, once for every change of pyproject.toml or constraints.txt.

PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/installed
BIN := $(VENV)/bin
DEMO := build/demo
TEST_WORKERS ?= 2
# The tests of a file share what it makes once, so a file is one worker's; slow files come first (tests/conftest.py).
SHARED_OUT = -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder
# The sample's models are small: on two threads HSE trains three times slower than on one. Equal thread counts also make
# equal numbers.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-extras test-again campaign check format docs picture clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

venv: $(INSTALLED)

# The environment is made by `python3 -m venv`, else by uv or virtualenv. A half-made one is removed first.
$(BIN)/pip:
	@rm -rf $(VENV)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "bench needs Python 3.11 or newer; name one by 'make PYTHON=python3.12 …'." >&2; exit 1; }
	@if $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then $(PYTHON) -m venv $(VENV); \
	elif command -v uv >/dev/null; then uv venv --quiet --seed --python "$$(command -v $(PYTHON))" $(VENV); \
	elif command -v virtualenv >/dev/null; then virtualenv --quiet --python "$$(command -v $(PYTHON))" $(VENV); \
	else echo "No way to make a Python environment: install python3-venv (Debian, Ubuntu), uv or virtualenv." >&2; exit 1; fi

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(INSTALLED)
	$(BIN)/bench run -m hse -m fse -m mean-pool -m count-only -m random -t anet-retrieval --output $(DEMO)/runs
	$(BIN)/bench leaderboard build --results $(DEMO)/runs --output $(DEMO)/leaderboard

test: $(INSTALLED)
	$(BIN)/python -m pytest $(SHARED_OUT) $(PYTEST_ARGS)

test-extras: $(INSTALLED)
	$(BIN)/python tests/extras.py $(SHARED_OUT) $(PYTEST_ARGS)

# A clone of what is committed, with an environment of its own, so that nothing that lies about in this folder helps.
TIMES ?= 10
WORKERS ?= 1 2 4
AGAIN := build/again
test-again:
	@rm -rf $(AGAIN) && git clone --quiet . $(AGAIN)
	@set -e; set -- $(WORKERS); for time in $$(seq $(TIMES)); do \
	  echo "make test, time $$time of $(TIMES), with $$1 workers"; \
	  env -u MAKEFLAGS -u MFLAGS CI=true $(MAKE) --no-print-directory -C $(AGAIN) test TEST_WORKERS=$$1 PYTHON="$(PYTHON)"; \
	  set -- "$$@" "$$1"; shift; \
	done
	@echo "make test was green $(TIMES) times on a fresh clone"

campaign: $(INSTALLED)
	$(BIN)/python tests/campaign
	$(BIN)/python -m pytest --campaign $(SHARED_OUT) $(PYTEST_ARGS)

check: $(INSTALLED)
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-logo

format: $(INSTALLED)
	$(BIN)/python -m ruff check --fix
	$(BIN)/python -m ruff format

docs: $(INSTALLED)
	"$$($(BIN)/python tests/extras.py --environment docs)" docs/build_site.py build/site

BOARD ?= leaderboards/msrvtt-train1000-retrieval.html
picture:
	chromium --headless --no-sandbox --hide-scrollbars --window-size=1240,900 --screenshot=docs/board.png \
	  "file://$(abspath $(BOARD))"

clean:
	rm -rf $(VENV) .venv-extras build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
