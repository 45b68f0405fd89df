"""A FastAPI service with metrics for Prometheus. Argument: the port."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI
from prometheus_client import Counter, make_asgi_app

orders = Counter("test_orders", "Orders taken.")
app = FastAPI(title="FastAPI behind a proxy")
app.mount("/metrics", make_asgi_app())


@app.post("/orders/")
def order(item: str) -> dict[str, str]:
    """Take an order."""
    orders.inc()
    return {"ordered": item}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]))
