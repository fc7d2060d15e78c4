"""Incidents that have ended and of which everybody has been told are known as such.

Revision ID: 0004
Revises: 0003
"""

from dispatch.store.migrations import scripts

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    scripts.run("0004_untold.sql", "0004_append.sql")
