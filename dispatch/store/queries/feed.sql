-- name: read
-- A control room's decisions that hold the next so many events after this feed position, in order. `limit` alone would
-- read as many decisions, of up to a hundred events each.
select incident_id, seq, count, feed_pos, events
from decision
where control_room_id = $1 and feed_pos > $2 and feed_pos <= coalesce(
    (
        select feed_pos
        from decision
        where control_room_id = $1 and feed_pos >= $2::bigint + $3::bigint
        order by feed_pos
        limit 1
    ),
    9223372036854775807
)
order by feed_pos;

-- name: position
-- The feed position of a control room's last event.
select feed_pos from control_room where id = $1;

-- name: decided
-- Which incidents a control room's decisions after this feed position were about, in order.
select incident_id, feed_pos
from decision
where control_room_id = $1 and feed_pos > $2
order by feed_pos
limit $3;
