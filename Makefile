# `make help` lists what there is. Needs make and any Python >= 3.11; the rest is installed into this folder:
#   .tools        uv, which finds or fetches a Python >= 3.12 (scripts/find_python.sh tells where it looks)
#   .venv-demo    packwire (editable) with its command line, for `make demo`
#   .venv         packwire (editable) and all that its tests and checks need
#   .venv-bench   packwire and what it is compared with
#   .venv-esphome ESPHome, to check what is exported to it
#   .venv-ha      a real Home Assistant, packwire's base install and what its integration's tests need (Python 3.13)
# PACKWIRE_PYTHON=/path/to/python3 chooses the interpreter; after a change of mind, `make clean` first.

PYTEST_ARGS ?= -n auto
LOCK_ARGS ?=

UV := .tools/bin/uv
BIN := .venv/bin
HA := integrations/home_assistant
SOAK_SECONDS ?= 60
HA_PYTEST_ARGS ?= -n auto --cov

# Trust what the machine trusts: its owner may have added an authority of their own.
UV_SYSTEM_CERTS ?= 1
# uv fetches an interpreter only where find_python.sh asks it to.
UV_PYTHON_DOWNLOADS ?= manual
export UV_SYSTEM_CERTS UV_PYTHON_DOWNLOADS

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The checks are a sequence: the cheap ones first, and the first failure ends it.
.NOTPARALLEL:
.PHONY: help demo test check fix format lint types imports unit soak soak-line homeassistant homeassistant-page bench esphome setup requirements clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv-demo/.ready ## packwire's own demonstration, on simulated packs (DEMO_SECONDS=n: how long)
	@.venv-demo/bin/packwire demo

test: check unit homeassistant ## all that must pass: check, unit, homeassistant

check: format lint types imports ## format, lint, types and imports

format: .venv/.ready ## is the code formatted?
	@echo '== ruff format --check'
	@$(BIN)/ruff format --check

lint: .venv/.ready ## what ruff has against it
	@echo '== ruff check'
	@$(BIN)/ruff check

types: .venv/.ready ## what mypy has against it
	@echo '== mypy'
	@$(BIN)/mypy

imports: .venv/.ready ## does each layer import only what is below it?
	@echo '== lint-imports'
	@$(BIN)/lint-imports --no-logo

unit: .venv/.ready ## the tests (PYTEST_ARGS='-k name -x' and the like)
	@echo '== pytest'
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

homeassistant: .venv-ha/.ready ## the integration's tests, in a real Home Assistant (HA_PYTEST_ARGS='-k name -x')
	@echo '== mypy, integrations/home_assistant'
	@cd $(HA) && $(CURDIR)/.venv-ha/bin/mypy
	@echo '== pytest, integrations/home_assistant'
	@cd $(HA) && $(CURDIR)/.venv-ha/bin/python -m pytest $(HA_PYTEST_ARGS)
	@case '$(HA_PYTEST_ARGS)' in *--cov*) cd $(HA) && $(CURDIR)/.venv-ha/bin/coverage report --fail-under=100 \
	    --include='*/config_flow.py' >/dev/null || { echo 'config_flow.py is not covered in full'; exit 1; } ;; esac

homeassistant-page: .venv-ha/.ready ## a started Home Assistant, set up by a headless chromium for a simulated pack (2 to 4 minutes)
	@.venv-ha/bin/python $(HA)/end_to_end.py $(if $(PICTURES),--pictures)

soak: .venv/.ready ## clients at once through hub and share, with an adversary (SOAK_SECONDS=3600: an hour)
	@$(BIN)/python -m tests.soak.sharing --seconds $(SOAK_SECONDS)

soak-line: .venv/.ready ## eight packs on one serial line, read in turn (SOAK_SECONDS=600: ten minutes)
	@$(BIN)/python -m tests.soak.line --seconds $(SOAK_SECONDS)

fix: .venv/.ready ## format the code and mend what ruff can mend by itself
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

bench: .venv-bench/.ready ## compare packwire with PyVESC
	@.venv-bench/bin/python -W ignore::SyntaxWarning -m benchmarks  # PyVESC's code draws five of them

esphome: .venv/.ready .venv-esphome/.ready ## have ESPHome check the configurations that packwire exports
	@$(BIN)/python -m tests.export.esphome_config .venv-esphome/bin/esphome

setup: .venv/.ready ## install all that the above need

requirements: .tools/.ready ## lock requirements/*.in anew (LOCK_ARGS=--upgrade: with the newest versions)
	@$(LOCK) --python-version 3.11 requirements/uv.in -o requirements/uv.txt
	@$(LOCK) --python-version 3.12 --extra cli --extra hub --extra serial --extra keyring --extra plot --extra parquet --extra can \
	    --extra proxies --extra sim \
	    pyproject.toml requirements/test.in -o requirements/test.txt
	@$(LOCK) --python-version 3.12 --extra cli --extra serial --extra ble --extra sim -c requirements/test.txt \
	    --excludes requirements/demo-excludes.txt pyproject.toml requirements/demo.in -o requirements/demo.txt
	@$(LOCK) --python-version 3.12 --extra cli --extra hub --extra ble --extra sim --excludes requirements/bench-excludes.txt \
	    pyproject.toml requirements/bench.in -o requirements/bench.txt
	@$(LOCK) --python-version 3.12 requirements/esphome.in -o requirements/esphome.txt
	@$(HA_CONSTRAINTS)
	@$(LOCK) --python-version 3.13 --overrides requirements/homeassistant-overrides.txt --no-annotate \
	    -c .cache/homeassistant/constraints.txt pyproject.toml requirements/homeassistant.in -o requirements/homeassistant.txt

clean: ## remove all that was installed or cached here
	rm -rf .tools .venv .venv-bench .venv-esphome .venv-demo .venv-ha .cache .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# --universal: one lock for every platform.
LOCK = $(UV) pip compile --quiet $(LOCK_ARGS) --universal --generate-hashes --no-header \
    --python "$$(UV=$(UV) scripts/find_python.sh)"

# Home Assistant's own constraints, as they are in its wheel, without what the overrides replace.
HA_CONSTRAINTS = mkdir -p .cache/homeassistant && $(UV) pip install --quiet --no-deps --python $(BIN)/python \
    --python-version 3.13.2 --target .cache/homeassistant/wheel "$$(grep '^homeassistant==' requirements/homeassistant.in)" && \
    sed -n 's/^\([a-z].*\)>=.*/^\1==/p' requirements/homeassistant-overrides.txt >.cache/homeassistant/overridden && \
    grep -v -f .cache/homeassistant/overridden .cache/homeassistant/wheel/homeassistant/package_constraints.txt \
    >.cache/homeassistant/constraints.txt

PIP_INSTALL := install --quiet --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
    -r requirements/uv.txt

# Debian has `pip` and `python3 -m venv` in packages of their own, so either may be missing.
.tools/.ready: requirements/uv.txt
	@echo '== setting up .tools: uv, 50 MB'
	@rm -rf .tools
	@if python=$$(scripts/find_python.sh 3.11 ensurepip 2>/dev/null); then \
	    "$$python" -m venv .tools && .tools/bin/python -m pip $(PIP_INSTALL); \
	elif python=$$(scripts/find_python.sh 3.11 pip 2>/dev/null); then \
	    "$$python" -m venv --without-pip .tools && "$$python" -m pip --python .tools/bin/python $(PIP_INSTALL); \
	else \
	    scripts/find_python.sh 3.11 ensurepip; \
	fi
	@touch $@

.venv/.ready: requirements/test.txt
.venv-bench/.ready: requirements/bench.txt

# Small, and not from or into a cache, of which the rest of the disk would pay: 150 MB with .tools.
.venv-demo/.ready: requirements/demo.txt .tools/.ready pyproject.toml
	@echo '== setting up .venv-demo: packwire and what its command line needs, 100 MB, once'
	@$(@D)/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || { \
	    python=$$(UV=$(UV) scripts/find_python.sh) && $(UV) venv --quiet --clear --python "$$python" $(@D); }
	@$(UV) pip sync --no-cache --python $(@D) --require-hashes --build-constraints $< $<
	@$(UV) pip install --quiet --no-cache --python $(@D) --no-deps --no-build-isolation --editable .
	@touch $@

# A lock may hold what builds its source packages, hence the build constraint: no build fetches anything else.
.venv/.ready .venv-bench/.ready: .tools/.ready pyproject.toml
	@echo '== setting up $(@D)'
	@$(@D)/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || { \
	    python=$$(UV=$(UV) scripts/find_python.sh) && $(UV) venv --quiet --clear --python "$$python" $(@D); }
	@$(UV) pip sync --quiet --compile-bytecode --python $(@D) --require-hashes --build-constraints $(filter requirements/%, $^) \
	    $(filter requirements/%, $^)
	@$(UV) pip install --quiet --python $(@D) --no-deps --no-build-isolation --editable .
	@touch $@

.venv-esphome/.ready: requirements/esphome.txt .tools/.ready
	@echo '== setting up $(@D): ESPHome, 160 MB'
	@$(@D)/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || { \
	    python=$$(UV=$(UV) scripts/find_python.sh) && $(UV) venv --quiet --clear --python "$$python" $(@D); }
	@$(UV) pip sync --quiet --compile-bytecode --python $(@D) --require-hashes --build-constraints $< $<
	@touch $@

# Home Assistant of that version runs on Python 3.13 alone; where another Python was chosen for the rest, one is
# looked for, and fetched if need be.
.venv-ha/.ready: requirements/homeassistant.txt .tools/.ready pyproject.toml
	@echo '== setting up $(@D): a Home Assistant, about 1 GB'
	@$(@D)/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null || { \
	    python=$$(UV=$(UV) scripts/find_python.sh =3.13 2>/dev/null) || \
	    python=$$(PACKWIRE_PYTHON= UV=$(UV) scripts/find_python.sh =3.13) && \
	    $(UV) venv --quiet --clear --python "$$python" $(@D); }
	@$(UV) pip sync --quiet --compile-bytecode --python $(@D) --require-hashes --build-constraints $< $<
	@$(UV) pip install --quiet --python $(@D) --no-deps --no-build-isolation --editable .
	@touch $@
