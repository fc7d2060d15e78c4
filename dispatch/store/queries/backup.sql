-- name: tables
-- The tables of this schema, those first that others refer to.
with recursive reference as (
    select distinct conrelid as child, confrelid as parent
    from pg_constraint
    where contype = 'f' and connamespace = current_schema()::regnamespace and conrelid <> confrelid
),
depth (id, n) as (
    select c.oid, 0 from pg_class c where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace
    union
    select r.child, d.n + 1 from reference r join depth d on d.id = r.parent
)
select
    c.relname as name,
    (
        select array_agg(a.attname order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ) as columns
from pg_class c join depth d on d.id = c.oid
group by c.oid, c.relname
order by max(d.n), c.relname;

-- name: revision
-- The schema's revision.
select version_num from alembic_version;

-- name: now
-- The database's clock.
select (extract(epoch from clock_timestamp()) * 1000)::bigint;

-- name: mark_attempted
-- What was to be sent when the backup was made may have been sent since: to be asked of the provider, not repeated.
update notification set attempted_at = requested_at where state = 'requested' and attempted_at is null;
