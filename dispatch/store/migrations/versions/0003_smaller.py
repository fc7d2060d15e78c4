"""A smaller append: fewer bytes of log and fewer statements, by the same rules.

Revision ID: 0003
Revises: 0002
"""

from dispatch.store.migrations import scripts

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    scripts.run("0003_smaller.sql", "0003_append.sql")
