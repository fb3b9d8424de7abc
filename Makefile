# Everything a checkout needs: python3 (3.11 or newer, with pip) and make.
# uv is fetched into .uv/, everything else into .venv/; both by hash, nothing outside this folder.

CONFIG  ?= sample_config.toml
ROUNDS  ?= 5
UV      := .uv/bin/uv
BIN     := .venv/bin
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
LINK    := core/gomodel_proxy/hookspecs.py

# Named, or an environment that happens to be active would be taken instead.
INTO    := --quiet --python .venv

# uv.lock records the address of an index, so git ignores it; what is exported from it has none.
EXPORT  := --quiet --frozen --no-emit-workspace --no-header --format requirements-txt

# An interpreter that is not there is an error, never a download nobody pinned.
export UV_PYTHON_DOWNLOADS := never

.PHONY: help run test soak loops lint types build bench lock clean ready

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

run: ready ## serve CONFIG (sample_config.toml)
	@exec $(BIN)/gomodel-proxy --config $(CONFIG)

test: ready ## run all tests but those of soak
	$(BIN)/pytest --numprocesses=auto --dist=loadfile -m "not soak"

soak: ready ## run the tests that take minutes: kills by the dozen, goodbyes, fuzzing
	$(BIN)/pytest --numprocesses=auto -m soak

loops: ready ## run what depends on the event loop under uvloop
	GOMODEL_TEST_LOOP=uvloop $(BIN)/pytest --numprocesses=auto --dist=loadfile \
	    tests/http tests/sdk tests/faults/test_disconnects.py tests/faults/test_streams.py \
	    tests/faults/test_upstreams.py tests/faults/test_hostile_upstreams.py

lint: ready ## check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: ready ## check types
	$(BIN)/mypy
	$(BIN)/mypy bench

build: ready ## build the distributions into dist/
	$(UV) build $(INTO) --all-packages --no-build-isolation --offline --out-dir dist
	@ls dist

bench: ready ## measure the budgets against nginx, in ROUNDS (5)
	$(BIN)/python -m bench.run --rounds $(ROUNDS)

lock: $(UV) ## renew the pins
	$(UV) lock --quiet --upgrade
	$(UV) export $(EXPORT) --only-group bootstrap -o requirements-uv.lock
	$(UV) export $(EXPORT) --all-packages --all-extras --all-groups --no-group bootstrap \
	    -o requirements-dev.lock

clean: ## remove what these targets made (never a database)
	rm -rf .uv .venv dist build bench/out .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A checkout without symlinks has a text file where the link should be.
ready: .venv/.ready
	@cmp -s hookspecs.py $(LINK) || cp hookspecs.py $(LINK)

.venv/.ready: requirements-dev.lock pyproject.toml $(PLUGINS:=/pyproject.toml) | $(UV)
	@$(UV) venv --quiet --allow-existing .venv
	@$(UV) pip sync $(INTO) --require-hashes requirements-dev.lock
	@$(UV) pip install $(INTO) --no-build-isolation --no-deps --offline $(addprefix -e ,. $(PLUGINS))
	@touch $@

$(UV): requirements-uv.lock
	@python3 -m pip install --quiet --upgrade --disable-pip-version-check \
	    --root-user-action ignore --require-hashes --target .uv -r requirements-uv.lock
	@touch $@
