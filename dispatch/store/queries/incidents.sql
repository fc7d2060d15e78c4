-- name: load
-- These incidents: each one's events after a seq, policy, personal side and alerts' rows, as of one moment.
select
    i.id, i.control_room_id, i.seq, i.feed_pos, i.due_at, i.node, p.body as policy,
    d.lat, d.lon, d.accuracy_m, d.address, d.directions, d.details,
    (
        select array_agg(e.events order by e.seq)
        from decision e
        where e.incident_id = i.id and e.seq > k.seq
    ) as events,
    a.n, a.medic_id, a.distance_m, a.digit_pair
from unnest($1::text[], $2::bigint[]) k (id, seq)
join incident i on i.id = k.id
join policy p on p.hash = i.policy
left join incident_details d on d.incident_id = i.id
cross join lateral (
    select
        array_agg(b.n) as n, array_agg(b.medic_id) as medic_id,
        array_agg(b.distance_m) as distance_m, array_agg(b.digit_pair) as digit_pair
    from (select * from alert where incident_id = i.id order by n) b
) a;

-- name: owed
-- The incidents that have something left to do without anybody asking.
select id from incident where owed;

-- name: take_over
-- Those of them whose node is dead, or that never had one, are this node's now.
update incident set node = $1
where id in (
    select id from incident o
    where o.owed and not exists (select from node where id = o.node and lease_until > now_ms())
    limit $2
    for update skip locked
)
returning id;

-- name: had_by
-- Those of them that this node has.
select id from incident where owed and node = $1;

-- name: newest
-- A page of a control room's incidents, newest first: those before ($3, $4), in one of these states.
select id, opened_at
from incident
where control_room_id = $1 and ($2::text[] is null or state = any($2)) and (opened_at, id) < ($3::bigint, $4::text)
order by opened_at desc, id desc
limit $5;

-- name: newest_live
-- The same for states of incidents that live: each of those is owed, and few are, however many have ended.
select id, opened_at
from incident
where owed and control_room_id = $1 and state = any($2::text[]) and (opened_at, id) < ($3::bigint, $4::text)
order by opened_at desc, id desc
limit $5;

-- name: newest_of_reference
-- The same of those with this reference.
select id, opened_at
from incident
where control_room_id = $1 and reference = $6 and ($2::text[] is null or state = any($2))
    and (opened_at, id) < ($3::bigint, $4::text)
order by opened_at desc, id desc
limit $5;

-- name: reference_used_since
-- The newest incident that a control room opened with this reference since then.
select id from incident
where control_room_id = $1 and reference = $2 and opened_at >= $3
order by opened_at desc
limit 1;

-- name: events_of
-- An incident's decisions in order.
select incident_id, seq, count, feed_pos, events from decision where incident_id = $1 order by seq;

-- name: inputs_of
-- What an incident's decisions knew from outside, by the seq of each one's first event.
select seq, body from decision_input where incident_id = $1 order by seq;

-- name: untold
-- The incidents that ended then or later and of which a device has not heard, the last to end first; but those owed.
select id from incident where untold and not owed and ended_at >= $1 order by ended_at desc;
