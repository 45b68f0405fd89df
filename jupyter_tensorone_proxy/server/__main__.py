"""Start a Jupyter server with this extension; ``--help-all`` lists the extension's settings.

`jupyter server --help-all` is printed before any extension is loaded, so it cannot list them.
"""

from __future__ import annotations

from .app import TensorOneProxy

if __name__ == "__main__":
    TensorOneProxy.launch_instance()  # type: ignore[no-untyped-call]
