"""SQL scripts of migrations, which stand beside them."""

from pathlib import Path

from alembic import op

VERSIONS = Path(__file__).with_name("versions")


def run(*names: str) -> None:
    """Runs them one after the other, in the migration's transaction."""
    connection = op.get_bind()
    connection.exec_driver_sql("select 1")  # the driver begins its transaction with the first statement
    driver_connection = connection.connection.dbapi_connection
    assert driver_connection is not None
    for name in names:
        script = (VERSIONS / name).read_text("utf-8")
        # Several statements in one text, which a prepared statement can not be: past SQLAlchemy, to asyncpg.
        driver_connection.run_async(lambda driver, script=script: driver.execute(script))
