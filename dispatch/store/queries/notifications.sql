-- name: attempt
-- The node that holds the lease is about to call the provider: once, unless it took the last attempt back.
update notification set attempted_at = $5
where incident_id = $1 and n = $2 and k = $3 and state = 'requested'
    and lease_by = $4 and lease_until > $5 and attempted_at is null
returning true;

-- name: take_back
-- The provider certainly did not take it: it may be tried again.
update notification set attempted_at = null
where incident_id = $1 and n = $2 and k = $3 and state = 'requested' and lease_by = $4
returning true;

-- name: take_over
-- Notifications without an outcome whose node let its lease run out are this node's now, until $3.
update notification set lease_by = $1, lease_until = $3
where (incident_id, n, k) in (
    select incident_id, n, k from notification
    where state = 'requested' and lease_until <= $2
    order by lease_until
    limit $4
    for update skip locked
)
returning incident_id, n, k, channel, purpose, requested_at, attempted_at;

-- name: renew
-- This node goes on with what it holds, until $3.
update notification set lease_until = $3
where state = 'requested' and lease_by = $1 and lease_until > $2 and lease_until < $3;

-- name: attempts
-- What has been tried of an incident's notifications that have no outcome.
select incident_id, n, k, channel, purpose, requested_at, attempted_at
from notification
where incident_id = $1 and state = 'requested'
order by n, k;
