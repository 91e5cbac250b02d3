# make report   the main job on the bundled data; prints where the report is
# make screens  docs/screens/ anew from reports/sample.html (needs chromium and pdftoppm)
# make test     the tests, and the notebooks from beginning to end
# make site     the documents as a site, in build/site/html; warnings are errors
# make sample   reports/sample.html anew from the released code, with its numbers beside it
# make axe      the sample report, reports of every other kind and the site under axe-core (npm)
# make bench    the benchmarks; tables and plots in benchmarks/README.md (hours)
# make docs     docs/models.md from the models' declarations, docs/ARCHITECTURE.md from the imports
# make lint     style, types, the direction of imports, and whether the page on them is stale
# make venv     only the environment
# make clean    remove the environment and all caches (reports and fits stay)
# Everything happens in .venv, with the versions of constraints.txt; nothing is installed twice.

VENV := .venv
FINITE := data/simulated-finite
PYTHON := $(VENV)/bin/python
INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))

AXE := build/axe/node_modules/axe-core/axe.min.js

.PHONY: report sample screens test notebooks site axe bench docs lint venv clean

report: $(VENV)/.package
	$(VENV)/bin/trustbayes report --out reports/report.html

sample: $(VENV)/.package
	$(VENV)/bin/trustbayes report $(FINITE)/trials.csv --game $(FINITE)/game.toml \
	  --planted $(FINITE)/parameters.csv --draws 2000 --tune 1000 --out reports/sample.html

screens: $(VENV)/.package
	PYTHON=$(PYTHON) docs/screens.sh reports/sample.html sample

# Two processes on two cores: threads of small matrix products would only wait for each other.
test notebooks: export OPENBLAS_NUM_THREADS := 1

test: $(VENV)/.test
	$(PYTHON) -m pytest --numprocesses 2 --dist loadfile --durations 40
	$(MAKE) notebooks

# Copies are executed, once for the tests and the site; what is kept in notebooks/ has no results.
notebooks: build/notebooks/.done

build/notebooks/.done: $(VENV)/.test $(wildcard notebooks/*.ipynb) $(shell find trustbayes -name '*.py')
	@rm -rf build/notebooks && mkdir -p build && cp -r notebooks build/notebooks
	$(PYTHON) -m pytest --numprocesses 2 --nbmake --overwrite --nbmake-timeout=300 build/notebooks
	@touch $@

site: $(VENV)/.site build/notebooks/.done
	@rm -rf build/site
	$(PYTHON) docs/site/make.py build/site
	$(PYTHON) -m sphinx -W --keep-going -q -j 2 -b html build/site/source build/site/html
	$(PYTHON) docs/site/check.py build/site

# Needs npm and Chromium.
axe: site $(AXE)
	$(PYTHON) docs/site/axe.py $(AXE) reports/sample.html build/site/specimens build/site/html

$(AXE):
	npm install --no-save --no-audit --no-fund --prefix build/axe axe-core@4.14.1

bench: $(VENV)/.bench
	$(PYTHON) benchmarks/speed.py
	$(PYTHON) benchmarks/against_nuts.py
	$(PYTHON) benchmarks/loso_refits.py
	$(PYTHON) benchmarks/model_recovery.py
	$(PYTHON) benchmarks/real_comparison.py
	$(PYTHON) benchmarks/real_learning.py
	$(PYTHON) benchmarks/traits.py
	$(PYTHON) benchmarks/calibration.py
	$(PYTHON) benchmarks/pooled_calibration.py --theory level-k --role sender
	$(PYTHON) benchmarks/pooled_calibration.py --theory trust-embedded --role receiver
	$(PYTHON) benchmarks/recovery.py
	$(PYTHON) benchmarks/general_game.py
	$(PYTHON) benchmarks/policies.py
	$(PYTHON) benchmarks/policy_coverage.py
	$(PYTHON) benchmarks/real_unseen.py
	$(PYTHON) benchmarks/fuzz.py
	$(PYTHON) benchmarks/kills.py
	$(PYTHON) benchmarks/readme.py

docs: $(VENV)/.lint
	$(PYTHON) docs/models.py
	$(PYTHON) docs/architecture.py

lint: $(VENV)/.lint
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo
	$(PYTHON) docs/architecture.py --check

venv: $(VENV)/.package

clean:
	rm -rf $(VENV) build dist *.egg-info
	rm -rf .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An interpreter counts only if it runs: names such as python3.13 may be shims that do not.
# pip 25.1 is the first that can install a dependency group.
$(VENV)/.created:
	@if ! $(PYTHON) -c "$(NEW_ENOUGH)" >/dev/null 2>&1; then \
	  for candidate in python3.13 python3.12 python3; do \
	    if $$candidate -c "$(NEW_ENOUGH)" >/dev/null 2>&1; then found=$$candidate; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "No suitable Python: looked for python3.13, python3.12 and python3, and none of them" >&2; \
	    echo "runs, is 3.12 or newer and has the modules venv and ensurepip. Install Python 3.13" >&2; \
	    echo "(on Debian and Ubuntu also the package python3.13-venv) and try again." >&2; \
	    exit 1; \
	  fi; \
	  echo "Creating $(VENV) with $$found"; \
	  $$found -m venv --clear $(VENV); \
	fi
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	@touch $@

$(VENV)/.package: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing trustbayes and its dependencies (about two minutes on a new machine)"
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.package
	@$(INSTALL) --group test
	@touch $@

$(VENV)/.bench: $(VENV)/.package
	@$(INSTALL) --group bench
	@touch $@

$(VENV)/.site: $(VENV)/.package
	@$(INSTALL) --group site
	@touch $@

$(VENV)/.lint: $(VENV)/.package
	@$(INSTALL) --group lint
	@touch $@
