"""Envoy's API is read from one file of the package: privately, and not without a word."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf.json_format import ParseError

import jupyter_tensorone_proxy
from jupyter_tensorone_proxy.gateway.xds.messages import LISTENER, Resource, make_resource
from jupyter_tensorone_proxy.gateway.xds.typed import Config, typed

PACKAGE = Path(jupyter_tensorone_proxy.__file__).parent
DESCRIPTORS = Path("gateway", "xds", "envoy.binpb")
_HTTP = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "envoy.extensions.filters.http.router.v3.Router"

STRANGER = """
from google.protobuf import descriptor_pb2, descriptor_pool
file = descriptor_pb2.FileDescriptorProto(
    name="envoy/config/cluster/v3/cluster.proto", package="envoy.config.cluster.v3"
)
file.message_type.add(name="Cluster").field.add(name="theirs", number=1, type=9, label=1)
descriptor_pool.Default().Add(file)

from jupyter_tensorone_proxy.gateway.xds import messages
messages.make_resource(messages.CLUSTER, {"name": "ours"})

found = descriptor_pool.Default().FindMessageTypeByName("envoy.config.cluster.v3.Cluster")
print([field.name for field in found.fields])
try:
    descriptor_pool.Default().FindMessageTypeByName("envoy.config.listener.v3.Listener")
except KeyError:
    print("nothing of ours")
"""


def listener(**router: object) -> Resource:
    """Make a listener whose router is two messages deep in it."""
    filters = [{"name": "router", "typed_config": typed(_ROUTER, router)}]
    manager: Config = {"stat_prefix": "http", "http_filters": filters}
    chain = {"filters": [{"name": "http", "typed_config": typed(_HTTP, manager)}]}
    return make_resource(LISTENER, {"name": "listener", "filter_chains": [chain]})


def test_a_misspelt_field_is_found_with_its_path() -> None:
    """A mistake in the configuration never gets to Envoy; the error says where it is."""
    assert listener(dynamic_stats=False).name == "listener"
    path = r"Listener\.filter_chains\[0\]\.filters\[0\]\.typed_config\.http_filters\[0\]"
    with pytest.raises(ParseError, match=rf'no field named "dynamic_statz" at "{path}'):
        listener(dynamic_statz=False)


def test_a_value_of_the_wrong_type_is_found_with_its_path() -> None:
    """So is a text where a boolean belongs."""
    with pytest.raises(ParseError, match=r"dynamic_?[sS]tats.*filter_chains\[0\]"):
        listener(dynamic_stats="perhaps")


def test_a_message_that_is_not_listed_says_where_to_list_it() -> None:
    """Whoever uses one more extension of Envoy learns what else is to do."""
    with pytest.raises(LookupError, match=r"v3\.Lua is not in EXTENSIONS of message_types\.py"):
        typed("envoy.extensions.filters.http.lua.v3.Lua", {})


def test_messages_of_the_same_names_elsewhere_do_not_matter() -> None:
    """Another program's Envoy messages in the same process, of any version, are its own affair."""
    done = subprocess.run(
        [sys.executable, "-c", STRANGER], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines() == ["['theirs']", "nothing of ours"], done.stderr


def damaged(path: Path) -> None:
    """Cut a file off."""
    path.write_bytes(path.read_bytes()[:100_000])


def outdated(path: Path) -> None:
    """Have nothing in it that is needed now."""
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (Path.unlink, "cannot be read: No such file or directory"),
        (damaged, "is damaged"),
        (outdated, "is of another version: envoy.config.cluster.v3.Cluster is not in it"),
    ],
)
def test_without_the_descriptors_a_gateway_says_what_to_do(
    tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    """Where the build did not do its part the gateway does not start; the error is two lines."""
    shutil.copytree(PACKAGE, tmp_path / PACKAGE.name)
    file = tmp_path / PACKAGE.name / DESCRIPTORS
    spoil(file)
    done = subprocess.run(
        [sys.executable, "-m", f"{PACKAGE.name}.gateway", "--state-dir", tmp_path / "state"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    error, closing = done.stderr.splitlines()
    assert str(file) in error
    assert reason in error
    assert "pip install --editable ." in error
    assert "The control plane could not start" in closing
