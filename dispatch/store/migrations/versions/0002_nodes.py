"""Several nodes on one database: who lives, what they tell each other, and no append by a dead one.

Revision ID: 0002
Revises: 0001
"""

from dispatch.store.migrations import scripts

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    scripts.run("0002_nodes.sql", "0002_append.sql")
