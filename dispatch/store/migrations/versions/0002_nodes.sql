-- Several nodes on one database. What a lease is measured by is this clock and no node's own.
create function now_ms() returns bigint language sql volatile as $$
    select (extract(epoch from clock_timestamp()) * 1000)::bigint
$$;

-- One life of one ``dispatch serve``. It lives until ``lease_until``, which it puts off as long as it does; after
-- that its writes are refused and others take over what it had. A restart under its name ends its former life.
create table node (
    id text primary key,
    name text not null unique,
    lease_until bigint not null,
    started_at bigint not null
);

-- Who decided last about it: that node has its timer. Changes when another decides, or takes it over.
alter table incident add column node text;
-- By node, so that what a dead one left is found; ``node`` changes seldom (see ``owed``).
drop index incident_owed;
create index incident_owed on incident (node) where owed;

-- A notification is sent by a node that lives, and taken over from one that does not: no lease of its own.
drop index notification_pending;
alter table notification drop column lease_until;
alter table notification rename column lease_by to node;
create index notification_pending on notification (node) where state = 'requested';

-- What has no table of its own that others could follow by number: sockets that came and went, and fixes.
-- ``bus`` has the number of the last piece: one row, locked by who publishes, so that a reader who has seen
-- number 7 has seen all up to 7.
create table bus (
    one boolean primary key default true check (one),
    no bigint not null
);
insert into bus (no) values (0);
create table news (
    no bigint primary key,
    node text not null,
    at bigint not null,
    body text not null
);

-- Whether the service is to send at all: paused by a restore, until an operator has looked.
create table service (
    one boolean primary key default true check (one),
    paused_at bigint
);
insert into service (paused_at) values (null);
