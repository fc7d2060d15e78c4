"""The first schema, and the function that appends decisions.

Revision ID: 0001
Revises: nothing
"""

from dispatch.store.migrations import scripts

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    scripts.run("0001_schema.sql", "0001_append.sql")
