# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
# Thin: Meson builds, tools/check.py checks. Everything is made below build/ and .venv/.

PYTHON ?= python3
PIP := -m pip --disable-pip-version-check install --quiet
PACKAGE := $(shell find include src cli python data tools/tables.py meson.build meson.options pyproject.toml README.md LICENSE -type f \
	-not -path '*/__pycache__/*' 2>/dev/null)

.PHONY: data-check data-refresh help demo check check-torch lint format fuzz hardware accuracy clean

help:
	@echo "make demo         install into .venv and train a small network under the meter"
	@echo "make check        every test and every lint, in environments of their own"
	@echo "make check-torch  the same meter under a real torch training loop (downloads torch)"
	@echo "make lint         clang-format, clang-tidy on more paths than in check, ruff, mypy"
	@echo "make format       format the C and Python sources"
	@echo "make fuzz         look for new inputs that break a parser, a minute each (needs clang)"
	@echo "make hardware     compare with this machine's own GPU and RAPL counters"
	@echo "make accuracy     run the rig and write the tables and plots of docs/accuracy.md"
	@echo "make data-check   check the tables of data/; data-refresh takes newer intensities (data/README.md)"
	@echo "make clean        remove build/"

demo: .venv/.installed
	@.venv/bin/python examples/demo.py

.venv/.installed: $(PACKAGE) examples/requirements.txt
	@tools/preflight.sh $(PYTHON)
	@echo "Installing energy-meter and what the demo needs into .venv ..."
	@$(PYTHON) -m venv .venv
	@.venv/bin/python $(PIP) . -r examples/requirements.txt
	@touch $@

build/venv/.installed: requirements-dev.txt
	@tools/preflight.sh $(PYTHON)
	@echo "Installing what the checks need into build/venv ..."
	@$(PYTHON) -m venv build/venv
	@build/venv/bin/python $(PIP) -r requirements-dev.txt
	@touch $@

check lint format fuzz hardware: build/venv/.installed
	@build/venv/bin/python tools/check.py $@

check-torch: build/venv/.installed
	@PYTHON=$(PYTHON) build/venv/bin/python tools/check.py $@

build/accuracy-venv/.installed: bench/requirements-plots.txt
	@tools/preflight.sh $(PYTHON)
	@$(PYTHON) -m venv build/accuracy-venv
	@build/accuracy-venv/bin/python $(PIP) -r bench/requirements-plots.txt
	@touch $@

accuracy: build/accuracy-venv/.installed
	@build/accuracy-venv/bin/python bench/accuracy.py

data-check:
	@$(PYTHON) tools/tables.py check

data-refresh:
	@$(PYTHON) tools/refresh_intensities.py "$(or $(FILE),$(error give FILE=download.csv SOURCE=id))" "$(SOURCE)" --write

clean:
	rm -rf build
