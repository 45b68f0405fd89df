"""Finding the ports that something started from a kernel or a terminal listens on.

`processes` reads what runs, `fingerprint` asks a port what it is, `watcher` puts both together and
tells what came and went.
"""
