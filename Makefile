# make run    set up .venv if need be, then open the workbench on the bundled samples
# make test   set up .venv if need be, then check style and types and run every test, offscreen
# make fuzz   fuzz the C library (clang with libFuzzer), minimise its corpus, print what it reaches; RUNS=1000000 JOBS=1
# make clean  remove what these made
# PYTHON=/path/to/python3.12 chooses the Python for .venv (3.11 to 3.13).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The first Python on the path that starts and that we support, else whatever python3 is: the probe then says why not.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && exit; \
	done; echo python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet --constraint constraints.txt
# What an installation depends on: changing any of these installs and compiles anew.
INSTALLED_FROM := pyproject.toml setup.py constraints.txt $(wildcard csrc/*.c csrc/*.h csrc/*.py)

.PHONY: run test fuzz clean

run: $(VENV)/.installed
	@if $(BIN)/python gui/probe.py display; then
	  $(BIN)/python gui/probe.py window
	  exec $(BIN)/ratescope gui
	fi
	$(BIN)/python gui/probe.py offscreen
	mkdir -p out
	echo "There is no display here: the same session is drawn into files instead."
	$(BIN)/ratescope gui --screenshot out/workbench.png
	$(BIN)/ratescope rd resources/samples/astronaut.png resources/samples/coffee.png \
	  --codecs dct,wavelet,jpeg,webp --points 5 --metrics psnr,ms_ssim --out out/rd.svg --out out/rd.csv > /dev/null
	echo "$(CURDIR)/out/workbench.png  the window"
	echo "$(CURDIR)/out/rd.svg         the rate-distortion chart"
	echo "$(CURDIR)/out/rd.csv         its numbers"

test: $(VENV)/.installed-for-tests
	@$(BIN)/python gui/probe.py offscreen
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest

RUNS ?= 1000000
JOBS ?= 1
fuzz: $(VENV)/.installed-for-tests
	@$(BIN)/python csrc/fuzz/run.py --runs $(RUNS) --jobs $(JOBS)

clean:
	rm -rf $(VENV) build dist out *.egg-info engine/_native.c engine/_native.*.so engine/_native.o

$(VENV)/.created:
	@$(PYTHON) gui/probe.py build
	echo "Creating $(VENV) with $$($(PYTHON) --version) …"
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

$(VENV)/.installed: $(VENV)/.created $(INSTALLED_FROM)
	@$(call install,.)
	touch $@

$(VENV)/.installed-for-tests: $(VENV)/.created $(INSTALLED_FROM)
	@$(call install,.[test])
	touch $@ $(VENV)/.installed

# The compiled library is removed first, as setuptools does not notice changed headers. Without build isolation the
# pinned setuptools and cffi do the work.
define install
	$(PYTHON) gui/probe.py build
	echo "Installing Ratescope and what it needs into $(VENV) (torch among it: the first time takes a while) …"
	rm -f engine/_native.*.so engine/_native.o
	$(PIP) setuptools cffi || { echo "pip could not fetch the packages: is the network there?"; exit 1; }
	$(PIP) --no-build-isolation --editable '$(1)' || { echo "the installation failed: the lines above say why"; exit 1; }
endef
