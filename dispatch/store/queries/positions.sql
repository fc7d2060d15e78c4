-- name: save
-- Each medic's newest fix wins; those of medics who are gone are dropped.
insert into medic_position as old (medic_id, lat, lon, accuracy_m, at)
select f.medic_id, f.lat, f.lon, f.accuracy_m, f.at
from unnest($1::text[], $2::float8[], $3::float8[], $4::float8[], $5::bigint[])
    as f (medic_id, lat, lon, accuracy_m, at)
join medic m on m.id = f.medic_id
order by f.medic_id
on conflict (medic_id) do update
    set lat = excluded.lat, lon = excluded.lon, accuracy_m = excluded.accuracy_m, at = excluded.at
    where old.at < excluded.at;
