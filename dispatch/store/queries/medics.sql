-- name: next_change
-- The number of the change that this transaction makes. Holds the row until the commit.
update roster set change_no = change_no + 1 returning change_no;

-- name: insert
-- A new medic.
insert into medic values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19);

-- name: phones_known
-- Which of these phones belong to medics.
select phone from medic where phone = any($1::text[]);

-- name: get
-- One medic.
select * from medic where id = $1;

-- name: lock
-- One medic, to be changed: nobody else changes her before the commit.
select * from medic where id = $1 for update;

-- name: update
-- A medic as she now is.
update medic set
    name = $2, phone = $3, language = $4, skills = $5, mode = $6, cleared_for_homes = $7, verified = $8,
    suspended = $9, certificate_until = $10, registered_by = $11, available = $12, drills = $13,
    time_zone = $14, quiet_hours = $15, places = $16, channels = $17, blocked = $18, change_no = $19
where id = $1;

-- name: by_phone
-- The medic with this phone.
select * from medic where phone = $1;

-- name: page
-- Medics in the order of their ids, after this one.
select * from medic where id > $1 order by id limit $2;

-- name: roster
-- All medics with their fixes. Lists as JSON: many medics have the same, and equal texts are read once.
select
    m.id, m.name, m.phone, m.language, array_to_json(m.skills)::text as skills, m.mode, m.cleared_for_homes, m.verified,
    m.suspended, m.certificate_until, m.registered_by, m.available, m.drills, m.time_zone, m.quiet_hours, m.places,
    array_to_json(m.channels)::text as channels, array_to_json(m.blocked)::text as blocked,
    p.lat, p.lon, p.accuracy_m, p.at
from medic m left join medic_position p on p.medic_id = m.id;

-- name: change_no
-- The number of the last change to any medic.
select change_no from roster;

-- name: changed
-- The medics changed since this number.
select * from medic where change_no > $1 order by change_no;

-- name: gone
-- The medics deleted since this number.
select medic_id from medic_gone where change_no > $1;

-- name: forget_alerts
-- A deleted medic's alerts keep their number, and nothing of her.
update alert set medic_id = null, distance_m = null, digit_pair = null where medic_id = $1;

-- name: pages_of_inputs
-- How many pages the inputs of decisions take by now.
select pg_relation_size('decision_input') / current_setting('block_size')::bigint;

-- name: forget_inputs
-- Decisions forget whom they considered, where she was one of them: distances tell where a home is. The empty
-- row tells a replay that something was known here. From one page on and before another: there may be millions.
update decision_input set body = ''
where ctid >= ('(' || $2::bigint || ',0)')::tid and ctid < ('(' || $3::bigint || ',0)')::tid
    and position('"' || $1 || '"' in body) > 0;

-- name: forget_inputs_of
-- The same of these incidents alone.
update decision_input set body = '' where incident_id = any($2) and position('"' || $1 || '"' in body) > 0;

-- name: delete
-- The medic with her fix, tokens and code.
delete from medic where id = $1 returning true;

-- name: tell_gone
-- Other nodes are told that she is gone.
insert into medic_gone (medic_id, change_no) values ($1, $2);
