"""``jupyter tensorone-proxy``: a Jupyter server with this extension; ``--help-all`` explains it.

`jupyter server --help-all` and `jupyter lab --help-all` are printed before any extension is looked
for, so no extension's settings are in them.
"""

from __future__ import annotations

from .app import TensorOneProxy


def main() -> None:
    """Start the server, or print its help; the words are this process's."""
    TensorOneProxy.launch_instance()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
