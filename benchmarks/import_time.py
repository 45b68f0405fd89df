"""What the package costs those who do not use it: its import, and its magics in every kernel.

``python benchmarks/import_time.py [--rounds 20]``

Each figure is the median over fresh processes. The goals are 150 ms for the import over bare Python
and 30 ms for loading the magics into a kernel.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

_MAGICS = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell()
begin = time.perf_counter()
shell.extension_manager.load_extension("jupyter_tensorone_proxy")
print(time.perf_counter() - begin)
"""
_FIRST_USE = """
import time, jupyter_tensorone_proxy
begin = time.perf_counter()
jupyter_tensorone_proxy.ProxyClient
print(time.perf_counter() - begin)
"""


def main() -> None:
    """Run the benchmark and print milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    bare = [whole("pass") for _ in range(rounds)]
    package = [whole("import jupyter_tensorone_proxy") for _ in range(rounds)]
    over_bare = statistics.median(package) - statistics.median(bare)
    show("bare Python", statistics.median(bare))
    show("import jupyter_tensorone_proxy, over bare Python", over_bare)
    show("magics loaded into a kernel", statistics.median(told(_MAGICS) for _ in range(rounds)))
    show("ProxyClient, when first used", statistics.median(told(_FIRST_USE) for _ in range(rounds)))


def whole(code: str) -> float:
    """Return how long a new Python takes for some code, its start included, in seconds."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - begin


def told(code: str) -> float:
    """Return the seconds that a new Python prints."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout)


def show(what: str, seconds: float) -> None:
    """Print one figure."""
    print(f"{what:50} {1000 * seconds:7.1f} ms")


if __name__ == "__main__":
    main()
