-- name: incident
-- The control room whose incident this is.
select r.name from incident i join control_room r on r.id = i.control_room_id where i.id = $1;

-- name: decisions
-- An incident's decisions in order, with what each knew: null where nothing was asked, '' once deleted.
select d.seq, d.events, n.body
from decision d left join decision_input n on n.incident_id = d.incident_id and n.seq = d.seq
where d.incident_id = $1
order by d.seq;

-- name: asked
-- Whom each alert of an incident went to, where she is not deleted.
select n, medic_id from alert where incident_id = $1 and medic_id is not null order by n;

-- name: policies
-- These policies by their hashes.
select hash, body from policy where hash = any($1::text[]);
