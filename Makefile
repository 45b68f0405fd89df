# The verbs of this project, the same for people and for CI; `make help` lists them.
#
# Each makes the virtual environment .venv and installs into it what it needs; the second time
# that is quick. `make PYTHON=/path/to/python VERB` chooses the Python, `make test ARGS="-k name"`
# hands words on.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
MESSAGES := jupyter_tensorone_proxy/gateway/xds/message_types.py
FRONT_END := labextension
BUNDLED := $(shell find $(FRONT_END)/schema $(FRONT_END)/src $(FRONT_END)/style -type f) $(FRONT_END)/package-lock.json
MODULES := $(FRONT_END)/node_modules/.package-lock.json
ARGS ?=
WORKERS ?= 0
ROOT := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help lab demo test check format build docs screenshots clean

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The tests' Dash has an extension that JupyterLab would like to be rebuilt for; nobody needs that.
lab: $(VENV)/installed-demo ## start JupyterLab with the example notebooks and the gateway
	@mkdir -p $(VENV)/etc/jupyter/labconfig
	@echo '{"buildCheck": false}' > $(VENV)/etc/jupyter/labconfig/page_config.json
	$(BIN)/jupyter lab $(ROOT) --ServerApp.root_dir=notebooks \
	  --LabApp.default_url=/lab/tree/quickstart.ipynb $(ARGS)

demo: $(VENV)/installed-demo ## the same without a browser: run the quick start, fetch its page
	$(BIN)/python scripts/demo.py $(ARGS)

# Where the programs cannot be installed, the tests that need them say so and are left out. Tests
# wait more than they work: on an idle machine `make test WORKERS=2` runs two files at a time.
test: $(VENV)/installed-services $(MODULES) ## run the tests against real services, gateways and kernels
	bash scripts/install-test-services.sh || [ -z "$$CI" ]
	cd $(FRONT_END) && npm test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: $(VENV)/installed-dev $(MODULES) ## lint, formatting, types, spelling, documentation
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/python scripts/generate_wire.py --check
	cd $(FRONT_END) && npm run --silent check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

format: $(VENV)/installed-dev $(MODULES) ## put the code into its form
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format
	$(BIN)/python scripts/generate_wire.py
	cd $(FRONT_END) && npm run --silent format

build: $(VENV)/installed-dev ## make the wheel and the source distribution in dist/
	rm -rf dist jupyter_tensorone_proxy/labextension
	$(BIN)/python -m build

docs: $(VENV)/installed-dev ## show the documentation on a local address
	$(BIN)/mkdocs serve $(ARGS)

screenshots: $(VENV)/installed-services ## take the documentation's pictures anew
	bash scripts/install-test-services.sh
	$(BIN)/python scripts/screenshots.py $(ARGS)

clean: ## remove what the other verbs made
	rm -rf $(VENV) dist build site .mypy_cache .ruff_cache .pytest_cache
	rm -rf $(FRONT_END)/node_modules $(FRONT_END)/lib jupyter_tensorone_proxy/labextension

# An extra of pyproject.toml is installed when the mark is missing or older than what installs it;
# that bundles the front end too.
$(VENV)/installed-%: pyproject.toml hatch_build.py $(MESSAGES) $(BUNDLED) | $(VENV)/bin/python
	@sh scripts/need-node.sh
	@echo "Installing into $(VENV): $* …"
	$(PIP) install --editable '.[$*]'
	@touch $@

$(VENV)/bin/python:
	sh scripts/make-venv.sh $(VENV)

$(MODULES): $(FRONT_END)/package-lock.json
	@sh scripts/need-node.sh
	cd $(FRONT_END) && npm ci --loglevel=error
	@touch $@
