"""The append finds an incident by its id, also by a plan that was made while there was none.

Revision ID: 0005
Revises: 0004
"""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql("select 1")  # the driver begins its transaction with the first statement
    script = Path(__file__).with_name("0005_append.sql").read_text("utf-8")
    # Past SQLAlchemy, to asyncpg, as the revisions before do.
    driver_connection = connection.connection.dbapi_connection
    assert driver_connection is not None
    driver_connection.run_async(lambda driver: driver.execute(script))
