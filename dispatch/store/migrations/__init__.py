"""The schema, one revision a file in `versions/`. Run by `dispatch.store.database.upgrade`."""
