-- name: pause
-- The service sends nothing until it is resumed.
update service set paused_at = coalesce(paused_at, now_ms());

-- name: paused_at
-- Since when the service sends nothing, if so.
select paused_at from service;

-- name: resume
-- The service sends again.
update service set paused_at = null where paused_at is not null returning true;
