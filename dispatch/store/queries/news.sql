-- name: publish
-- The next piece of news, from this node.
with next as (update bus set no = no + 1 returning no)
insert into news (no, node, at, body) select no, $1, now_ms(), $2 from next returning no;

-- name: since
-- The news after this number, in order.
select no, node, body from news where no > $1 order by no limit $2;

-- name: purge
-- Forgets what every node that lives has seen.
delete from news where at < now_ms() - 60000;

-- name: notify
-- Tells all who listen, in this session too.
select pg_notify('dispatch', $1);
