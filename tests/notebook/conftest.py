"""What the tests of the magic may ask for: a real gateway, and services exposed through it."""

from tests.fixtures.ana import (  # noqa: F401 - fixtures are found by their names
    client,
    expose_mine,
    gateway,
    mine,
    running_gateway,
)
from tests.fixtures.panel import page, panel, plain_panel  # noqa: F401 - the same
