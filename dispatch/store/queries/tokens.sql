-- name: create
-- A device's token; only the hash of its secret is kept.
insert into device_token (token_hash, medic_id, created_at)
select $1, id, $3 from medic where id = $2
returning true;

-- name: find_all
-- Whose tokens these are.
select token_hash, medic_id from device_token where token_hash = any($1::bytea[]);

-- name: revoke_all
-- Signs every device of a medic out.
with gone as (delete from device_token where medic_id = $1 returning true)
select count(*) from gone;
