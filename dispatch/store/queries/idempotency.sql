-- name: find
-- What a control room's key was used for since then.
select control_room_id, key, request_hash, subject, created_at
from idempotency
where control_room_id = $1 and key = $2 and created_at >= $3;

-- name: remember
-- Keeps the key beside what it was used for (`append` does so for decisions); nothing where it is taken still.
insert into idempotency as old (control_room_id, key, request_hash, subject, created_at, append_id)
values ($1, $2, $3, $4, $5, 0)
on conflict (control_room_id, key) do update
    set request_hash = excluded.request_hash, subject = excluded.subject,
        created_at = excluded.created_at, append_id = excluded.append_id
    where old.created_at < excluded.created_at - 86400000
returning 1;

-- name: purge
-- Forgets the keys used before then.
delete from idempotency where created_at < $1;
