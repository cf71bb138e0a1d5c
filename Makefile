# Merchlens. `make help` lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DATA ?= data
PROTOS := $(wildcard proto/merchlens/v1/*.proto)
GENERATED := clients/python
BENCHES := $(wildcard tests/bench/quality_*.py tests/bench/index_*.py tests/bench/serve_*.py)
BUF_VERSION := 1.75.0
LOCK := requirements.lock
OLDEST := build/oldest
DISTRIBUTIONS := ./clients/python .[train,search,dev]
OURS := --no-emit-package merchlens --no-emit-package merchlens-client
# What a CPU can do without. PyPI's torch is linked against the rest of CUDA's libraries, and is not imported without.
ON_CPU := (triton|cuda-bindings|cuda-pathfinder|nvidia-cusolver|nvidia-nvtx)==
FROM_INDEX := (torch|torchvision|triton)==|cuda-|nvidia-
LEFT_OUT := $(if $(TORCH_INDEX),$(FROM_INDEX),$(if $(CPU),$(ON_CPU),-))
# Two workers take about 2.5 GB of memory, each further one 1.2.
WORKERS ?= auto
PARALLEL := -n $(WORKERS) --maxprocesses 4 --dist worksteal

# uv does not read pip's settings.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.DEFAULT_GOAL := help
.PHONY: help setup lock demo proto fix check check-proto test test-oldest faults bench-short bench clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv and install what requirements.lock names. CPU=1 or TORCH_INDEX=URL: see README

# Entries of the lock (several lines each) whose names do not begin with $(1).
without = awk '/^[a-z0-9]/ {kept = $$0 !~ /^($(1))/} kept' $(LOCK)

# uv unpacks and compiles on all cores; where only pip is set up to reach the package index, pip does the same.
define install
	$(BIN)/uv pip install --quiet --python $(1) --system-certs --compile-bytecode --no-deps --require-hashes -r $(2) \
		|| $(1) -m pip install --disable-pip-version-check --no-deps --require-hashes -r $(2)
endef

$(STAMP): $(LOCK) pyproject.toml clients/python/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	awk '/^uv==/ {kept = 1} kept {print} kept && !/\\$$/ {exit}' $(LOCK) > $(VENV)/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.txt
	$(if $(TORCH_INDEX),$(BIN)/python -m pip install --quiet --disable-pip-version-check --index-url $(TORCH_INDEX) \
		$$(grep -oE '^(torch|torchvision)==[^ ]+' $(LOCK)))
	$(call without,$(LEFT_OUT)) > $(VENV)/locked.txt
	$(call install,$(BIN)/python,$(VENV)/locked.txt)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		-e ./clients/python -e .
	touch $(STAMP)

lock: $(STAMP) ## Renew requirements.lock: the newest versions that pyproject.toml permits
	echo '$(DISTRIBUTIONS)' | tr ' ' '\n' | $(BIN)/uv pip compile - --quiet --universal --python-version 3.11 \
		--upgrade --generate-hashes --no-header $(OURS) -o $(LOCK)

demo: $(STAMP) ## The whole path on Fashion-MNIST: fine-tune, index, serve, query. KEEP=1 leaves the server up
	$(BIN)/python -m tests.bench.demo --data $(DATA) $(if $(KEEP),--keep)

define generate
	$(BIN)/python -m grpc_tools.protoc -I proto --plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc \
		--python_out=$(1) --pyi_out=$(1) --grpc_python_out=$(1) --mypy_grpc_out=quiet:$(1) $(PROTOS)
endef

proto: $(STAMP) ## Regenerate the client's messages and stubs from proto/
	rm -f $(GENERATED)/merchlens/v1/*_pb2*
	$(call generate,$(GENERATED))

check-proto: $(STAMP) ## Fail when generated code is stale; lint the contract
	@rm -rf build/proto && mkdir -p build/proto
	$(call generate,build/proto)
	@diff -r -x __init__.py -x __pycache__ build/proto/merchlens/v1 $(GENERATED)/merchlens/v1 \
		|| { echo "generated code is stale: run 'make proto' and commit the result"; exit 1; }
	@if command -v npx >/dev/null; then \
		cd proto && npx --yes @bufbuild/buf@$(BUF_VERSION) lint; \
	elif [ -n "$$CI" ]; then echo "check-proto: npx (Debian package npm) is missing, buf lint cannot run"; exit 1; \
	else echo "SKIPPED: buf lint (needs npx, Debian package npm)"; fi

fix: $(STAMP) ## Format and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: $(STAMP) check-proto ## Lint, format, types, generated code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: $(STAMP) ## Run the tests, on up to four cores
	$(BIN)/python -m pytest $(PARALLEL) -m 'not bench and not faults'

faults: $(STAMP) ## Run the long fault tests: what is killed, full or damaged, at many points. QUICK=1: at fewer of them
	$(BIN)/python -m pytest $(PARALLEL) -m 'faults$(if $(QUICK), and not long)'
	$(BIN)/python -m tests.faults.corruption

bench-short: $(STAMP) ## Run each bench's short form: does it end, print its bars, meet those of quality. QUICK=1: no long ones
	$(BIN)/python -m pytest -m 'bench and timed$(if $(QUICK), and not long)'
	$(BIN)/python -m pytest $(PARALLEL) -m 'bench and not timed$(if $(QUICK), and not long)'

test-oldest: $(STAMP) ## Run the tests with the lowest versions that pyproject.toml permits
	$(PYTHON) -m venv --clear $(OLDEST)
	echo '$(DISTRIBUTIONS)' | tr ' ' '\n' | $(BIN)/uv pip compile - --quiet --python $(OLDEST)/bin/python \
		--resolution lowest-direct --no-header $(OURS) | grep -vE '^$(ON_CPU)' > $(OLDEST)/lowest.txt
	$(BIN)/uv pip install --quiet --python $(OLDEST)/bin/python --system-certs --compile-bytecode --no-deps \
		-r $(OLDEST)/lowest.txt
	$(BIN)/uv pip install --quiet --python $(OLDEST)/bin/python --system-certs --no-deps -e ./clients/python -e .
	$(OLDEST)/bin/python -m pytest $(PARALLEL) -m 'not bench and not faults'

bench: $(STAMP) ## Run the benches in full; each prints its bars
	@fail=0; for f in $(BENCHES); do \
		echo "== $$f"; $(BIN)/python -m tests.bench.$$(basename $$f .py) || fail=1; done; exit $$fail

clean: ## Remove what was built (not data)
	rm -rf build .mypy_cache .ruff_cache
