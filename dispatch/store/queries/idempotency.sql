-- name: find
-- What a control room's key was used for since then.
select control_room_id, key, request_hash, subject, created_at
from idempotency
where control_room_id = $1 and key = $2 and created_at >= $3;

-- name: purge
-- Forgets the keys used before then.
delete from idempotency where created_at < $1;
