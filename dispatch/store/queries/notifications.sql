-- name: attempt
-- The node that has it, and lives, is about to call the provider: once, unless it took the last attempt back, or
-- that was one of $6, whose replies were lost, so that nobody was called. Tells this clock's time.
update notification set attempted_at = $5
where incident_id = $1 and n = $2 and k = $3 and state = 'requested' and node = $4
    and (attempted_at is null or attempted_at = any($6::bigint[]))
    and exists (select from node where id = $4 and lease_until > now_ms())
returning now_ms();

-- name: take_back
-- The provider certainly did not take what was attempted at $5: it may be tried again. Not where it was already
-- attempted anew; said twice, it is taken back once.
update notification set attempted_at = null
where incident_id = $1 and n = $2 and k = $3 and state = 'requested' and node = $4
    and (attempted_at is null or attempted_at = $5)
    and exists (select from node where id = $4 and lease_until > now_ms())
returning true;

-- name: take_over
-- Notifications without an outcome whose node is dead are this node's now.
update notification set node = $1
where (incident_id, n, k) in (
    select incident_id, n, k from notification o
    where o.state = 'requested'
        and not exists (select from node where id = o.node and lease_until > now_ms())
    order by o.requested_at
    limit $2
    for update skip locked
)
returning incident_id, n, k, channel, purpose, requested_at, attempted_at;

-- name: held
-- What this node has that has no outcome.
select incident_id, n, k, channel, purpose, requested_at, attempted_at
from notification
where state = 'requested' and node = $1
order by requested_at;

-- name: attempts
-- What has been tried of an incident's notifications that have no outcome.
select incident_id, n, k, channel, purpose, requested_at, attempted_at
from notification
where incident_id = $1 and state = 'requested'
order by n, k;
