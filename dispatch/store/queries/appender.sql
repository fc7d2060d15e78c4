-- name: by_index
-- Every row is found by index: a plan made while a table was small would read it through for as long as it is kept. And
-- it is kept: the planner takes an array to have ten elements, and would plan anew each time that there is only one.
set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set plan_cache_mode = force_generic_plan;

-- name: append
-- Node $11 writes a batch of appends in one commit; gives each room's feed position before it.
select append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: find_streams
-- Which of these appends have written decisions, and at which feed position each ended.
select append_id, incident_id, feed_pos
from decision
where (incident_id, append_id) in (select * from unnest($1::text[], $2::bigint[]));

-- name: find_keys
-- Which of these appends have written their idempotency key.
select append_id from idempotency
where (control_room_id, key, append_id) in (select * from unnest($1::text[], $2::text[], $3::bigint[]));

-- name: claims_of
-- The real alerts held now by these medics, or by the medics of these alerts.
select a.medic_id, a.incident_id, a.n, i.priority, a.drill, a.holds = 'engaged' as engaged
from alert a join incident i on i.id = a.incident_id
where a.holds is not null and not a.drill and a.medic_id in (
    select unnest($1::text[])
    union
    select b.medic_id from alert b join unnest($2::append_hold[]) h on b.incident_id = h.incident_id and b.n = h.n
);
