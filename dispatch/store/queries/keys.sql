-- name: ensure_control_room
-- The id of the control room with this name, made if there is none.
insert into control_room (id, name) values ($1, $2)
on conflict (name) do update set name = excluded.name
returning id;

-- name: create
-- A new key; only the hash of its secret is kept.
insert into api_key (id, control_room_id, secret_hash, scopes, created_at) values ($1, $2, $3, $4, $5);

-- name: list_all
-- All keys, revoked ones too, by control room and age.
select k.id, k.control_room_id, r.name as control_room, k.scopes, k.created_at, k.revoked_at
from api_key k join control_room r on r.id = k.control_room_id
order by r.name, k.created_at, k.id;

-- name: good
-- The keys that are good now, with the hashes of their secrets.
select secret_hash, id, control_room_id, scopes from api_key where revoked_at is null;

-- name: find
-- The key with this secret's hash, if it is good.
select id, control_room_id, scopes from api_key where secret_hash = $1 and revoked_at is null;

-- name: revoke
-- From now on the key opens nothing.
update api_key set revoked_at = $2 where id = $1 and revoked_at is null returning true;
