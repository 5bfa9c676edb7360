# Everything is done through these targets; `make` alone lists them.

VENV := .venv
PY := $(VENV)/bin/python
TOOLS := deploy/tools
PAGES := $(shell find templates console platforms unions chains \( -name '*.html' -o -name '*.py' \) 2>/dev/null)
CATALOGUES := $(wildcard locale/*/LC_MESSAGES/*.po)

.DEFAULT_GOAL := help
.PHONY: help setup setup-run setup-test run test check bench chaos images lock clean
.DELETE_ON_ERROR:

help: ## list the targets
	@grep -hE '^[a-z_-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

run: setup-run ## start everything on this machine; PORT=8000 DATA_DIR=./var SEED=scenario|none
	@$(PY) -m console.supervisor --end-with-parent

test: setup-test ## run every test: SQLite, PostgreSQL + Redis, the whole product, the pages in a browser
	@$(PY) -m tests.tools.run

check: setup-test ## lint, types, import contracts, migrations, templates, API file, translations
	@$(PY) -m tests.tools.check

bench: setup-test ## measure; prints a table, writes var/bench/
	@$(PY) -m bench.run

chaos: setup-test ## kill processes while the platform fails at random; SEED= RUNS=20 DB=sqlite|postgres
	@$(PY) -m tests.chaos

images: setup-test ## build images of geth and GoQuorum with Go, for the tests on real hosts; takes minutes, once
	@$(PY) -m tests.tools.images

setup: setup-test ## everything that the other targets install, without running anything

setup-run: $(VENV)/.runtime static/vendor/manifest.json var/tools/.ready var/tools/solc/.ready $(CATALOGUES:.po=.mo)

setup-test: $(VENV)/.dev setup-run

$(VENV)/.runtime: requirements.lock
	@$(TOOLS)/make_venv.sh requirements.lock >&2
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/.runtime
	@$(TOOLS)/make_venv.sh requirements-dev.lock >&2
	@touch $@

# npm comes from the PATH, or from PyPI where there is none.
$(VENV)/.node: requirements-node.lock | $(VENV)/.runtime
	@{ $(PY) $(TOOLS)/install_anvil.py --has-npm || $(TOOLS)/make_venv.sh requirements-node.lock; } >&2
	@touch $@

static/vendor/manifest.json: package.json package-lock.json $(PAGES) | $(VENV)/.node
	@$(PY) manage.py build_front_end >&2
	@touch $@

var/tools/.ready: package-lock.json $(TOOLS)/install_anvil.py | $(VENV)/.node
	@$(PY) $(TOOLS)/install_anvil.py >&2
	@touch $@

var/tools/solc/.ready: package-lock.json $(TOOLS)/install_solc.py chains/compiling/solc.js | $(VENV)/.node
	@$(PY) $(TOOLS)/install_solc.py >&2
	@touch $@

%.mo: %.po $(TOOLS)/compile_messages.py | $(VENV)/.runtime
	@$(PY) $(TOOLS)/compile_messages.py >&2
	@touch $@

lock: ## pin the dependencies of pyproject.toml anew
	@$(TOOLS)/lock.sh

clean: ## throw away what set-up and tests made; the data of `make run` stays
	rm -rf $(VENV) static/vendor var/tools var/bench var/test-results .ruff_cache .pytest_cache .mypy_cache
