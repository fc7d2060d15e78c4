"""Several nodes on one database: who lives, what they tell each other, and no append by a dead one.

Revision ID: 0002
Revises: 0001
"""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql("select 1")  # the driver begins its transaction with the first statement
    for name in ("0002_nodes.sql", "0002_append.sql"):
        script = Path(__file__).with_name(name).read_text("utf-8")
        # Several statements in one text, which a prepared statement can not be: past SQLAlchemy, to asyncpg.
        driver_connection = connection.connection.dbapi_connection
        assert driver_connection is not None
        driver_connection.run_async(lambda driver, script=script: driver.execute(script))
