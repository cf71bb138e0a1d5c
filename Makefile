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

.DEFAULT_GOAL := help
.PHONY: help setup demo proto fix check check-proto test bench clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv and install everything. TORCH_INDEX=URL takes torch and torchvision from there

$(STAMP): pyproject.toml clients/python/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(if $(TORCH_INDEX),$(BIN)/python -m pip install --quiet --index-url $(TORCH_INDEX) torch torchvision)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ./clients/python -e '.[train,dev]'
	touch $(STAMP)

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

test: $(STAMP) ## Run all tests (with the benches' short forms)
	$(BIN)/python -m pytest

bench: $(STAMP) ## Run the benches in full; each prints its bars
	@fail=0; for f in $(BENCHES); do \
		echo "== $$f"; $(BIN)/python -m tests.bench.$$(basename $$f .py) || fail=1; done; exit $$fail

clean: ## Remove what was built (not data)
	rm -rf build .mypy_cache .ruff_cache
