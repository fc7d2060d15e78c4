"""Postgres without an administrator: the binaries of a wheel, started and supervised by us.

A machine with nothing but Python gets a real, durable database. Whoever has a server of their own sets
`DISPATCH_DATABASE_URL`, and none of this runs.

- `EmbeddedPostgres(data_dir)`: the service's own, one at a time on a data dir. Restarts a dead server.
- `postgres_at(data_dir)`: for every other command. Uses the running server, or one for its own duration.
- `is_made(data_dir)`: whether there is one, for commands that are to make none.
- `PostgresUnavailable`: one line that says what failed, and one that says what to do.
- `binary(name)`: the path of a program of the wheel, `pg_dump` for one.

In the data dir: `postgres/` is the database cluster, `postgres.log` what the server said, and the
`postgres.*.lock` files who uses it.
"""

from dispatch.embedded_postgres.binaries import MAJOR, binary
from dispatch.embedded_postgres.errors import PostgresUnavailable
from dispatch.embedded_postgres.server import EmbeddedPostgres, is_made, postgres_at

__all__ = ["MAJOR", "EmbeddedPostgres", "PostgresUnavailable", "binary", "is_made", "postgres_at"]
