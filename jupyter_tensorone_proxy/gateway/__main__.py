"""``python -m jupyter_tensorone_proxy.gateway`` runs the gateway in the foreground."""

import sys

from .launcher import main

sys.exit(main())
