# The one door: every target makes the environment it needs.  `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
DATA ?= data
BIN := $(VENV)/bin
ENGINE := core/Cargo.toml $(shell find core/src -name '*.rs')
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := splitters patterns trainer encoder models pipeline charsmap mixture counts
FUZZ_FORMATS := hf bbpe tekken tiktoken sentencepiece unigram gguf wordpiece
FUZZ_OPTIONS = -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help demo test test-python test-rust test-wheel lint nightly fuzz bench docs clean

help:  ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

demo: $(VENV)/.run  ## Train on this machine's own executables and show what was learned
	$(BIN)/tokforge demo -o tokenizer.json --force

test: $(VENV)/.dev test-rust test-python test-wheel  ## Everything that must pass before a change lands

test-python: $(VENV)/.dev
	@# The pages' tests drive Debian's browser; without it they are skipped, and say so.
	@command -v chromium > /dev/null || apt-get install -y -qq chromium > /dev/null 2>&1 || true
	$(BIN)/python -m pytest -m "not nightly and not network and not gpu" -n 2

test-rust: $(VENV)/.dev
	. $(VENV)/.rust-env && cargo test --quiet --manifest-path core/Cargo.toml

test-wheel: $(VENV)/.dev  ## Build the wheel, install it in an empty environment, use it there
	. $(VENV)/.rust-env && $(BIN)/python tests/wheel.py

lint: $(VENV)/.dev  ## Formatting, lints and types
	. $(VENV)/.rust-env && cargo fmt --manifest-path core/Cargo.toml --check
	. $(VENV)/.rust-env && cargo clippy --manifest-path core/Cargo.toml --all-targets -- -D warnings
	. $(VENV)/.rust-env && cargo clippy --manifest-path core/Cargo.toml --features python -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

nightly: $(VENV)/.dev test-rust  ## The long tests too, those that fetch packages, and fuzzing
	. $(VENV)/.rust-env && cargo test --release --manifest-path core/Cargo.toml -- --include-ignored
	$(BIN)/python -m pytest -m "not gpu" -n 2
	. $(VENV)/.rust-env && $(BIN)/python tests/wheel.py --sdist
	$(MAKE) fuzz FUZZ_SECONDS=600

fuzz: $(VENV)/.fuzz  ## Fuzz the engine and the readers, FUZZ_SECONDS=60 for each target
	. $(VENV)/.rust-env && cd core/fuzz && for target in $(FUZZ_TARGETS); do \
	  mkdir -p corpus/$$target && cargo fuzz run -s none $$target corpus/$$target seeds/$$target -- $(FUZZ_OPTIONS) || exit 1; done
	for format in $(FUZZ_FORMATS); do $(BIN)/python tests/fuzz/formats.py $$format $(FUZZ_OPTIONS) || exit 1; done
	$(BIN)/python tests/fuzz/checkpoints.py $(FUZZ_OPTIONS)

bench: $(VENV)/.bench  ## Tables of docs/benchmarks.md, beside the peers
	$(BIN)/python -m benches all $(DATA)

docs: $(VENV)/.dev  ## Build the site into site/, and check that every example in README and docs runs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build -q
	$(BIN)/python -m pytest tests/docs

clean:  ## Remove what make made
	rm -rf $(VENV) build dist core/target demo *.egg-info tokforge/_core*.so

# A machine without the venv module is Debian's default; the rest of the rule needs pip.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { apt-get update -qq && apt-get install -y -qq python3-venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.rust-env: $(BIN)/python core/ensure_rust.sh
	@path=$$(core/ensure_rust.sh $(BIN)/python $(VENV)/.rustup) && \
	  { if [ -f $(VENV)/.rustup ]; then sed 's/^/export /' $(VENV)/.rustup; fi; echo "export PATH=\"$$path\""; } > $@.new && mv $@.new $@

$(VENV)/.run: $(VENV)/.rust-env pyproject.toml $(ENGINE)
	. $(VENV)/.rust-env && $(BIN)/pip install -q -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.rust-env pyproject.toml $(ENGINE)
	. $(VENV)/.rust-env && $(BIN)/pip install -q -e '.[dev]'
	@touch $@ $(VENV)/.run

# Stable Rust will do: safe Rust needs no address sanitizer, and coverage is no unstable flag.
$(VENV)/.fuzz: $(VENV)/.dev
	@command -v g++ > /dev/null || apt-get install -y -qq g++
	. $(VENV)/.rust-env && { cargo fuzz --version > /dev/null 2>&1 || cargo install --quiet cargo-fuzz; }
	$(BIN)/pip install -q atheris
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(BIN)/pip install -q -e '.[bench]'
	@touch $@
