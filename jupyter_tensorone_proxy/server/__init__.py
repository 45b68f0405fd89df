"""The Jupyter server extension: a REST door for the front ends, `go/…`, and the local gateway.

`app.py` is the extension with its settings. `routes.py`, `people_routes.py` and `go.py` answer
requests, and `events.py` tells what happens without being asked. `opening.py`
finds or makes the address to go to, `connection.py` knows which API is spoken to,
`gateway_process.py` runs the gateway, and `kernel_environment.py` tells kernels about all of it;
`key_file.py` keeps the API key out of their environment. `processes/` runs services.
Nothing here imports the gateway: it is another process, maybe of another Python environment.
"""
