"""What alembic runs to migrate: on the connection given by `dispatch.store.database`, in one transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], target_metadata=None)
with context.begin_transaction():
    context.run_migrations()
