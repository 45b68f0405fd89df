"""Migrate the database whose URL is on standard input."""

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

config = Config()
config.set_main_option("script_location", str(Path(__file__).parent))
with sa.create_engine(sys.stdin.read().strip()).begin() as connection:
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
