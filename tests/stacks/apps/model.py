"""A model's API, as FastAPI serves it: who answered, after how long, and at what cost."""

import asyncio
import os
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
async def health() -> dict[str, str]:
    """Say that it is well."""
    return {"status": "ok"}


@app.get("/who")
async def who() -> dict[str, int]:
    """Say which process answers."""
    return {"pid": os.getpid()}


@app.get("/slow/{milliseconds}")
async def slow(milliseconds: int) -> dict[str, int]:
    """Answer after a while."""
    await asyncio.sleep(milliseconds / 1000)
    return {"pid": os.getpid()}


@app.get("/work/{milliseconds}")
async def work(milliseconds: int) -> dict[str, int]:
    """Answer after so much of a processor's time."""
    until = time.process_time() + milliseconds / 1000
    while time.process_time() < until:
        pass
    return {"pid": os.getpid()}
