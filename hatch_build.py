"""What is made when the package is built: for wheel, source distribution, `pip -e`.

Envoy's descriptors come out of xds-protos, which so is needed to build the package, and not to run
it; the module `jupyter_tensorone_proxy.gateway.xds.descriptors` says why, and reads what is written
here. The front end is bundled by the hook after this one, which takes any bundle that is there for
the right one: so one that is older than its sources is removed here.
"""

from __future__ import annotations

import importlib
import pkgutil
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

XDS = "jupyter_tensorone_proxy/gateway/xds"
DESCRIPTORS = f"{XDS}/envoy.binpb"
FRONT_END = "labextension"
BUNDLE = "jupyter_tensorone_proxy/labextension"
_MADE = {"lib", "node_modules"}


class EnvoyDescriptors(BuildHookInterface[Any]):
    """Hatchling's hook."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Write the file, and have it in what is built although it is under no version control.

        Raises:
            RuntimeError: The front end has to be bundled, and there is no Node.js.
        """
        prepare_bundling(Path(self.root))
        listed = runpy.run_path(str(Path(self.root, XDS, "message_types.py")))
        names = (*listed["RESOURCES"], *listed["EXTENSIONS"], *listed["SERVICES"])
        path = Path(self.root, DESCRIPTORS)
        # A gateway that is starting from this checkout sees the old file or the new one.
        unfinished = path.with_suffix(".new")
        unfinished.write_bytes(collect(names))
        unfinished.replace(path)
        build_data["artifacts"].append(f"/{DESCRIPTORS}")


def prepare_bundling(root: Path) -> None:
    """Remove a bundle that is older than its sources; see that a new one can be made.

    Args:
        root: A checkout, where the bundle may be of any age, or an unpacked source distribution
            (it has PKG-INFO), whose bundle is right whatever the files' times are.

    Raises:
        RuntimeError: There is no bundle, and no npm to make one.
    """
    bundle = root / BUNDLE
    if not (root / "PKG-INFO").exists() and is_stale(bundle, root / FRONT_END):
        shutil.rmtree(bundle, ignore_errors=True)
    if not bundle.exists() and shutil.which("npm") is None:
        raise RuntimeError(
            "The JupyterLab extension cannot be bundled: there is no npm. Install Node.js 20.19 "
            "or later (on Debian 13: sudo apt-get install nodejs npm), then try again."
        )


def is_stale(bundle: Path, sources: Path) -> bool:
    """Say whether any source is newer than a bundle, or the bundle is not whole.

    Args:
        bundle: The directory that the bundler writes; it writes `package.json` last of all.
        sources: The directory of the sources.
    """
    made = bundle / "package.json"
    if not (made.exists() and (bundle / "static" / "style.js").exists()):
        return True
    own = (p for p in sources.iterdir() if p.name not in _MADE)
    files = (f for p in own for f in ([p] if p.is_file() else p.rglob("*")))
    return any(file.stat().st_mtime > made.stat().st_mtime for file in files)


def collect(names: tuple[str, ...]) -> bytes:
    """Return the files that define some messages and services, and all that those import.

    Args:
        names: Their full names.

    Returns:
        A serialized FileDescriptorSet: each file after those it imports, the same for the same
        version of xds-protos.

    Raises:
        LookupError: xds-protos has no such name.
    """
    files = FileDescriptorSet()
    seen: set[str] = set()
    for name in names:
        for file in with_imports(find_file(name), seen):
            file.CopyToProto(files.file.add())
    return bytes(files.SerializeToString(deterministic=True))


def with_imports(file: Any, seen: set[str]) -> Iterator[Any]:
    """Yield the descriptors of what a file imports, then its own; what was seen, not again."""
    if file.name not in seen:
        seen.add(file.name)
        for imported in file.dependencies:
            yield from with_imports(imported, seen)
        yield file


def find_file(name: str) -> Any:
    """Return the descriptor of the file that defines a name.

    A package of Envoy's API is a folder, so the file is one of the folder's.
    """
    package, _, short = name.rpartition(".")
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if module.name.endswith("_pb2"):
            file = importlib.import_module(f"{package}.{module.name}").DESCRIPTOR
            if short in file.message_types_by_name or short in file.services_by_name:
                return file
    raise LookupError(f"xds-protos has no {name}: correct {XDS}/message_types.py")
