"""The append finds an incident by its id, also by a plan that was made while there was none.

Revision ID: 0005
Revises: 0004
"""

from dispatch.store.migrations import scripts

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    scripts.run("0005_append.sql")
