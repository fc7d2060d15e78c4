-- name: read
-- A control room's decisions whose last event lies after this feed position, in order.
select incident_id, seq, count, feed_pos, events
from decision
where control_room_id = $1 and feed_pos > $2
order by feed_pos
limit $3;

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
