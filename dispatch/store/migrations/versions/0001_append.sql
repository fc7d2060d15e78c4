-- The only write path of events: several appends, each whole or not at all, in one round trip and one commit.
-- A function and not a chain of CTEs, because the order counts: control rooms are locked in id order (no two
-- nodes wait for each other), and a medic's old claim ends before her new one begins (a unique index is
-- checked row by row).

create type append_room as (id text, count integer);
-- ``room``: which of the rooms, from 1; ``offset``: its last event's place among the room's new ones, from 1.
create type append_stream as (
    incident_id text, room integer, feed_offset integer, seq integer, count integer, events text, inputs text,
    priority smallint, kind text, state text, policy text, ended_at bigint, due_at bigint
);
create type append_opening as (incident_id text, room integer, reference text, drill boolean, opened_at bigint);
create type append_details as (
    incident_id text, lat double precision, lon double precision, accuracy_m double precision,
    address text, directions text, details text
);
create type append_alert as (
    incident_id text, n integer, medic_id text, distance_m integer, digit_pair smallint, drill boolean, holds text
);
create type append_hold as (incident_id text, n integer, holds text);
create type append_notification as (
    incident_id text, n integer, k integer, channel text, purpose text, state text, requested_at bigint
);
create type append_outcome as (incident_id text, n integer, k integer, state text, provider_id text);
create type append_key as (
    control_room_id text, key text, request_hash bytea, subject text, created_at bigint
);
