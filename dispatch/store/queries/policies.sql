-- name: keep
-- Keeps policies by the hash of their content; one kept before is the same.
insert into policy (hash, body) select * from unnest($1::text[], $2::text[])
on conflict (hash) do nothing;

-- name: get
-- One policy by the hash of its content.
select body from policy where hash = $1;
