-- name: join
-- A life begins; the former one of this name ends with it.
insert into node (id, name, lease_until, started_at) values ($1, $2, now_ms() + $3, now_ms())
on conflict (name) do update
    set id = excluded.id, lease_until = excluded.lease_until, started_at = excluded.started_at;

-- name: rejoin
-- The life after $1 begins, where nobody else has its name now.
update node set id = $2, lease_until = now_ms() + $3, started_at = now_ms() where id = $1 returning true;

-- name: renew
-- A node lives on, if it still does.
update node set lease_until = now_ms() + $2 where id = $1 and lease_until > now_ms() returning true;

-- name: leave
-- A node stops: what it has is anybody's at once.
delete from node where id = $1;

-- name: look
-- How far everything is that a node follows, as of one moment.
select
    (select array_agg(id order by id) from control_room) as rooms,
    (select array_agg(feed_pos order by id) from control_room) as feed_positions,
    (select change_no from roster) as change_no,
    (select no from bus) as news_no,
    (select array_agg(id order by id) from node where lease_until > now_ms()) as nodes,
    (select paused_at from service) as paused_at,
    pg_postmaster_start_time()::text as server;

-- name: history
-- Which server's history the database is of: another one after a standby was promoted, which may have lost the last of it.
-- Nothing while it is a standby still.
select case
    when not pg_is_in_recovery()
    then (pg_control_system()).system_identifier || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
end;

-- name: purge
-- Forgets nodes that have been dead for a day.
delete from node where lease_until < now_ms() - 86400000;
