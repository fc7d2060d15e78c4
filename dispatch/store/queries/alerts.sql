-- name: of_medic
-- A medic's alerts of incidents that are live or ended since then, newest first.
select a.incident_id, a.n, a.digit_pair, a.holds, a.drill, i.state, i.opened_at
from alert a join incident i on i.id = a.incident_id
where a.medic_id = $1 and (i.ended_at is null or i.ended_at >= $2)
order by i.opened_at desc, a.incident_id desc, a.n desc;

-- name: digit_pairs
-- Which of the four digit pairs each medic had last, of the alerts whose incidents were opened since then. By the
-- greatest number that has the time, n and the pair in its bits: in one pass, where to sort a day's alerts takes seconds.
select a.medic_id, (max(i.opened_at << 18 | least(a.n, 65535) << 2 | a.digit_pair) & 3)::smallint as digit_pair
from incident i join alert a on a.incident_id = i.id
where i.opened_at >= $1 and a.medic_id is not null
group by a.medic_id;
