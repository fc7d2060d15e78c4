"""Postgres: one module per aggregate, its statements in `queries`, the schema in `migrations`."""
