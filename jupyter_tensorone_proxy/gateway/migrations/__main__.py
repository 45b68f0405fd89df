"""Migrate the database whose URL is on standard input, to the latest revision or a given one."""

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

engine = sa.create_engine(sys.stdin.read().strip())
if engine.dialect.name == "sqlite":
    # Left to itself, the driver commits after every statement that makes a table, so that a crash
    # would leave half of a migration (SQLAlchemy's documentation of pysqlite says so).
    sa.event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    sa.event.listen(engine, "begin", lambda opened: opened.exec_driver_sql("begin immediate"))
config = Config()
config.set_main_option("script_location", str(Path(__file__).parent))
try:
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, sys.argv[1] if sys.argv[1:] else "head")
except (sa.exc.DatabaseError, CommandError) as error:
    sys.exit(str(getattr(error, "orig", error)))
