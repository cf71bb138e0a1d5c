from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import re
import subprocess
import sys

import merchlens
import pytest

MODULES = ("catalog_results", "client", "errors", "queries", "recognition_results", "results", "status", "writes")
# Public in their modules for our own use: what callers get of them are the errors' attributes.
NOT_EXPORTED = {"StatusDetails"}


def test_the_exports_are_sorted_and_each_exists():
    assert merchlens.__all__ == sorted(merchlens.__all__)
    assert len(set(merchlens.__all__)) == len(merchlens.__all__)
    assert [name for name in merchlens.__all__ if not hasattr(merchlens, name)] == []


def test_every_public_name_of_the_package_is_exported():
    public = {
        name for name, value in vars(merchlens).items() if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(merchlens.__all__)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_class_of_a_module_is_exported(module):
    loaded = importlib.import_module(f"merchlens.{module}")
    classes = {
        name
        for name, value in vars(loaded).items()
        if inspect.isclass(value) and value.__module__ == loaded.__name__ and not name.startswith("_")
    }
    assert classes
    assert classes - NOT_EXPORTED <= set(merchlens.__all__)


def test_every_export_has_a_docstring():
    assert [name for name in merchlens.__all__ if not getattr(merchlens, name).__doc__] == []


def test_the_distribution_requires_grpcio_and_protobuf_only():
    requirements = importlib.metadata.requires("merchlens-client") or []
    assert sorted(re.match(r"[\w.-]+", line).group() for line in requirements) == ["grpcio", "protobuf"]


def test_importing_the_package_loads_grpc_protobuf_and_itself_only():
    code = """
import json, sys
import grpc
before = set(sys.modules)
import merchlens
print(json.dumps({"all": sorted(sys.modules), "new": sorted(set(sys.modules) - before)}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    third_party = {name.partition(".")[0] for name in loaded["new"]} - set(sys.stdlib_module_names)
    assert third_party <= {"google", "grpc", "merchlens"}
    heavy = {"numpy", "PIL", "torch", "onnxruntime", "qdrant_client", "embedder", "indexer", "server"}
    assert heavy & {name.partition(".")[0] for name in loaded["all"]} == set()
    # `google` is shared by many packages: googleapis-common-protos must not be needed.
    assert [name for name in loaded["all"] if name.startswith("google.rpc")] == []
