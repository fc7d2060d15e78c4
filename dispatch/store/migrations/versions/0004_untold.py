"""Incidents that have ended and of which everybody has been told are known as such.

Revision ID: 0004
Revises: 0003
"""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql("select 1")  # the driver begins its transaction with the first statement
    for name in ("0004_untold.sql", "0004_append.sql"):
        script = Path(__file__).with_name(name).read_text("utf-8")
        # Several statements in one text, which a prepared statement can not be: past SQLAlchemy, to asyncpg.
        driver_connection = connection.connection.dbapi_connection
        assert driver_connection is not None
        driver_connection.run_async(lambda driver, script=script: driver.execute(script))
