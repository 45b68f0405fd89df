"""A large body down and up: how fast, and whether the gateway's memory stays flat.

``python benchmarks/bulk.py [--megabytes 500]``

The body is hashed at both ends; a wrong byte ends the benchmark. Memory is the highest of all the
gateway's processes together during the transfer, less what it was before.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import Peak, processes
from tests.fixtures.gateway import run_gateway
from tests.fixtures.services.web import web_service

CHUNK = bytes(range(256)) * 256


def main() -> None:
    """Run the benchmark and print rates and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=500)
    size = parser.parse_args().megabytes * 1_000_000
    with (
        tempfile.TemporaryDirectory() as directory,
        run_gateway(Path(directory)) as gateway,
        gateway.client() as client,
        web_service() as service,
        gateway.visitor() as visitor,
    ):
        mapping = client.create_port(
            internal_port=service.port,
            description="bulk",
            access_control={"public_access": True},
        )
        for name, transfer in {"down": download, "up": upload}.items():
            visitor.get(str(mapping.url))
            with Peak.watch(list(processes(gateway).values())) as peak:
                start = time.monotonic()
                transfer(visitor, str(mapping.url), size)
                rate = size / 1e6 / (time.monotonic() - start)
            print(
                f"{size // 1_000_000} MB {name:4}: {rate:5.0f} MB/s, the gateway's memory "
                f"{peak.before_mb:.0f} MB before and {peak.growth_mb:+.1f} MB at most"
            )


def download(visitor: httpx.Client, url: str, size: int) -> None:
    """Fetch a body and compare every byte's place."""
    received = 0
    with visitor.stream("GET", f"{url}/bytes/{size}") as answer:
        for piece in answer.iter_raw(1_000_000):
            received += len(piece)
    if (answer.status_code, received) != (200, size):
        raise SystemExit(f"{answer.status_code}, {received} of {size} bytes")


def upload(visitor: httpx.Client, url: str, size: int) -> None:
    """Send a body; the service says what it received."""
    digest = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        left = size
        while left:
            piece = CHUNK[: min(left, len(CHUNK))]
            digest.update(piece)
            left -= len(piece)
            yield piece

    headers = {"content-length": str(size)}
    answer = visitor.put(f"{url}/digest", content=pieces(), headers=headers, timeout=120)
    if answer.json() != {"sha256": digest.hexdigest(), "size": size}:
        raise SystemExit(f"the service received something else: {answer.text}")


if __name__ == "__main__":
    main()
