# Two commands for users: 'make demo' and 'make test'. Each sets up .venv by itself; the second time it starts at once.
# Another Python: make demo PYTHON=python3.11. Index, mirror and proxy: pip's own settings (pip config, PIP_...).

.PHONY: help demo test test-long test-libraries golden-libraries neurobench lint clean
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# An environment that is there stays, unless another Python is asked for.
PYTHON ?= $(if $(wildcard $(VENV)/made-*),$(BIN)/python,python3)
# The version that the environment is for, and what it depends on.
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo missing)
KEY := $(shell { cat pyproject.toml constraints.txt; ls -d */__init__.py; echo $(VERSION); } | cksum | cut -d' ' -f1)
READY := $(VENV)/ready-$(KEY)
READY_DEV := $(VENV)/ready-dev-$(KEY)
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check
# Torch libraries whose neurons we take, on top of .venv: by their metadata they do not go beside what we need.
LIBRARIES := .venv-libraries
READY_LIBRARIES := $(LIBRARIES)/ready-$(shell cat tests/libraries/requirements*.txt | cksum | cut -d' ' -f1)
INSTALL_LIBRARIES = $(LIBRARIES)/bin/python -m pip install --disable-pip-version-check --no-deps
TRIED := tests/test_neuron_tables.py tests/test_neuron_libraries.py
# NeuroBench, likewise.
NEUROBENCH := .venv-neurobench
READY_NEUROBENCH := $(NEUROBENCH)/ready-$(shell cksum <benchmarks/neurobench-requirements.txt | cut -d' ' -f1)
SITE = python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'

help:
	@echo 'make demo       set up .venv, then train, convert, simulate, compare and report on the digits'
	@echo 'make test       set up .venv, then run the tests (make test-long: those that take minutes, too)'
	@echo 'make test-libraries  set up .venv-libraries, then compare with spikingjelly, norse and sinabs themselves, and their NIR files'
	@echo 'make neurobench set up .venv-neurobench, then compare operations and sparsity with those of NeuroBench'
	@echo 'make lint       ruff and mypy'
	@echo 'make clean      remove .venv and caches; runs/ stays'

demo: $(READY)
	$(BIN)/dlm-snn run

test: $(READY_DEV)
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m "not long"

test-long: $(READY_DEV)
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup --hypothesis-profile=many

test-libraries: $(READY_LIBRARIES)
	DLM_LIBRARIES=1 $(LIBRARIES)/bin/python -m pytest -q $(TRIED) tests/test_nir_libraries.py
	DLM_LIBRARIES=1 PYTHONPATH=$(LIBRARIES)/older $(LIBRARIES)/bin/python -m pytest -q $(TRIED) -k 'not norse'

golden-libraries: $(READY_LIBRARIES)
	$(LIBRARIES)/bin/python -m tests.libraries.make_golden

neurobench: $(READY_NEUROBENCH)
	$(NEUROBENCH)/bin/python -m benchmarks.neurobench_counts
	$(NEUROBENCH)/bin/python -m pytest -q tests/test_neurobench.py

lint: $(READY_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(READY): | $(VENV)/made-$(VERSION)
	$(call install,.)

$(READY_DEV): | $(VENV)/made-$(VERSION)
	$(call install,.[dev])
	@touch $(READY)

# A .pth file adds .venv with its own .pth files; pip is that of .venv.
$(READY_LIBRARIES): $(READY_DEV)
	@rm -rf $(LIBRARIES)
	$(BIN)/python -m venv --without-pip $(LIBRARIES)
	@echo "import site; site.addsitedir('$$($(BIN)/$(SITE))')" >"$$($(LIBRARIES)/bin/$(SITE))/product.pth"
	$(INSTALL_LIBRARIES) -r tests/libraries/requirements.txt
	$(INSTALL_LIBRARIES) --target $(LIBRARIES)/older -r tests/libraries/requirements-older.txt
	@touch $@

$(READY_NEUROBENCH): $(READY_DEV)
	@rm -rf $(NEUROBENCH)
	$(BIN)/python -m venv --without-pip $(NEUROBENCH)
	@echo "import site; site.addsitedir('$$($(BIN)/$(SITE))')" >"$$($(NEUROBENCH)/bin/$(SITE))/product.pth"
	$(NEUROBENCH)/bin/python -m pip install --disable-pip-version-check --no-deps -r benchmarks/neurobench-requirements.txt
	@touch $@

# lava-nc goes in apart: it declares Python < 3.11 but runs on 3.12 (see 'dlm-snn doctor').
define install
@ls -d $(VENV)/lib*/python*/site-packages/torch >/dev/null 2>&1 || \
	echo 'Installing into $(VENV). Where pip finds no CPU build of torch, the ordinary one brings gigabytes.'
$(INSTALL) -c constraints.txt -e '$(1)'
$(INSTALL) --no-deps --ignore-requires-python lava-nc==0.10.0
@rm -f $(VENV)/ready-*
@touch $@
endef

# The file's name carries the version, so that another Python makes another environment.
$(VENV)/made-$(VERSION):
	@case '$(VERSION)' in 3.10|3.11|3.12) ;; *) \
		echo "dlm-snn needs Python 3.10, 3.11 or 3.12, and $(PYTHON) is $(VERSION);" \
			"name another: make demo PYTHON=python3.11" >&2; exit 2;; esac
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv; on Debian and Ubuntu: apt-get install python$(VERSION)-venv" >&2; exit 2; }
	@rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	@touch $@

clean:
	rm -rf $(VENV) $(LIBRARIES) $(NEUROBENCH) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
