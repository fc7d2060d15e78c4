-- The first schema. Times are bigint milliseconds since the Unix epoch, ids are text, JSON that only
-- our code reads is text (no parse at the hot insert). Personal data stands in rows of its own.

create table control_room (
    id text primary key,
    name text not null unique,
    -- Position of the last event in this control room's feed: dense, so that a reader sees gaps and doublets.
    feed_pos bigint not null default 0
);

create table api_key (
    id text primary key,
    control_room_id text not null references control_room,
    -- SHA-256 of a 256-bit random secret: as hard to find as the secret itself.
    secret_hash bytea not null unique,
    scopes text[] not null,
    created_at bigint not null,
    revoked_at bigint
);

-- An incident keeps the policy it was opened with, whatever file a node has now.
create table policy (
    hash text primary key,
    body text not null
);

-- What queries need of an incident; the rest of its state is in its events. ``owed``: a tick is due some time,
-- or a notification has no outcome yet. It changes seldom, so that a new ``due_at`` alone touches no index (a
-- heap-only update).
create table incident (
    id text primary key,
    control_room_id text not null,  -- the append has locked its row, so it is there
    reference text not null,
    kind text not null,
    priority smallint not null,
    drill boolean not null,
    state text not null check (state in ('open', 'held', 'closed', 'cancelled')),
    policy text not null references policy,
    seq integer not null check (seq > 0),
    opened_at bigint not null,
    ended_at bigint,
    due_at bigint,
    owed boolean not null,
    feed_pos bigint not null,
    check ((ended_at is null) = (state in ('open', 'held'))),
    check (owed or due_at is null)
) with (fillfactor = 70);

-- What still has something to do is found by a restarted or another node: ticks, and what is to be sent.
create index incident_owed on incident (id) where owed;
-- What ended not long ago is in memory again after a restart.
create index incident_ended on incident (ended_at) where ended_at is not null;
-- Incidents are listed newest first.
create index incident_newest on incident (control_room_id, opened_at desc, id desc);
-- A reference is used once within 24 hours.
create index incident_reference on incident (control_room_id, reference, opened_at);

-- The personal side of an incident; goes when its retention ends.
create table incident_details (
    incident_id text primary key,
    lat double precision not null check (lat between -90 and 90),
    lon double precision not null check (lon between -180 and 180),
    accuracy_m double precision,
    address text,
    directions text,
    details text
);

-- What one decision did to one incident: its events, in order, as a JSON array; ``seq`` is the first one's.
-- One row a decision, not one an event: ten alerts are some twenty events, and rows are what an insert
-- costs.
-- The view ``event`` gives them one by one. ``append_id`` tells a writer whose connection was cut at COMMIT
-- whether it was he who wrote.
create table decision (
    incident_id text not null,
    seq integer not null check (seq > 0),
    count integer not null check (count > 0),
    control_room_id text not null,
    feed_pos bigint not null,
    append_id bigint not null,
    schema_version smallint not null,
    events text not null,
    -- The optimistic lock: of two nodes that decide at once, one wins.
    primary key (incident_id, seq)
) with (toast_tuple_target = 8160);
-- The feed shows every event once, in order; ``feed_pos`` is that of the last one in the row.
create unique index decision_feed on decision (control_room_id, feed_pos);

create view event as
select
    d.incident_id,
    d.seq + (e.nth - 1)::integer as seq,
    d.control_room_id,
    d.feed_pos - d.count + e.nth as feed_pos,
    e.body ->> 'type' as type,
    (e.body ->> 'at')::bigint as at,
    e.body ->> 'by' as by,
    e.body ->> 'key' as key,
    d.schema_version,
    e.body
from decision d, json_array_elements(d.events::json) with ordinality as e (body, nth);

-- What the decision knew from outside (the command with its candidates): "why her, and not him". Deletable.
create table decision_input (
    incident_id text not null,
    seq integer not null,
    body text not null,
    primary key (incident_id, seq)
) with (toast_tuple_target = 8160);

-- Who alert ``n`` went to. ``holds``: what she owes it now (open: an answer; engaged: she accepted or arrived);
-- null once ended. A deleted medic's rows keep ``n`` alone.
create table alert (
    incident_id text not null,
    n integer not null check (n > 0),
    medic_id text,
    distance_m integer,
    digit_pair smallint,
    drill boolean not null,
    holds text check (holds in ('open', 'engaged')),
    primary key (incident_id, n)
) with (fillfactor = 80);
-- A medic holds at most one alert, open or engaged, over all real incidents: all such are '' here, all others
-- differ. By its first column it finds a medic's alerts too (for her device, an SMS answer, deletion), since
-- a second index would cost each alert more than everything else about its row.
create unique index alert_one_claim_a_medic on alert (
    medic_id, (case when holds is null or drill then incident_id || '-' || n::text else '' end)
);

-- One attempt to bring a message over a channel that can not tell a repeat (SMS; later voice): it is made at
-- most once. ``attempted_at`` is committed before the provider is called, ``lease_by`` alone may call. What goes
-- over a socket has no row: its outcome is in the events, and a repeat of it does no harm.
create table notification (
    incident_id text not null,
    n integer not null,
    k integer not null check (k > 0),
    channel text not null,
    purpose text not null check (purpose in ('alert', 'update', 'stand_down')),
    state text not null check (state in ('requested', 'sent', 'delivered', 'failed')),
    requested_at bigint not null,
    lease_by text not null,
    lease_until bigint not null,
    attempted_at bigint,
    provider_id text,
    primary key (incident_id, n, k)
) with (fillfactor = 80);
-- What was requested and has no outcome is found by a restarted or another node and brought to an end.
create index notification_pending on notification (lease_until) where state = 'requested';

-- A POST repeated with its key within 24 hours does nothing twice.
create table idempotency (
    control_room_id text not null,
    key text not null,
    request_hash bytea not null,
    subject text not null,
    created_at bigint not null,
    append_id bigint not null,
    primary key (control_room_id, key)
);
create index idempotency_age on idempotency (created_at);

-- The number of the last change to any medic. One row, locked by who changes one: a reader who has seen
-- number 7 has seen all up to 7, which a sequence does not promise.
create table roster (
    one boolean primary key default true check (one),
    change_no bigint not null
);
insert into roster (change_no) values (0);

create table medic (
    id text primary key,
    name text not null,
    phone text not null unique,
    language text not null,
    skills text[] not null,
    mode text not null,
    cleared_for_homes boolean not null,
    verified boolean not null,
    suspended boolean not null,
    certificate_until bigint,
    registered_by text,
    available boolean not null,
    drills boolean not null,
    time_zone text,
    quiet_hours text not null,
    places text not null,
    channels text[] not null,
    blocked text[] not null,
    change_no bigint not null
);
-- Other nodes ask for the medics changed since the last number they saw.
create index medic_change on medic (change_no);

-- That a medic is gone, for nodes that still have her in memory: an opaque id and nothing else.
create table medic_gone (
    medic_id text primary key,
    change_no bigint not null
);
create index medic_gone_change on medic_gone (change_no);

create table medic_position (
    medic_id text primary key references medic on delete cascade,
    lat double precision not null check (lat between -90 and 90),
    lon double precision not null check (lon between -180 and 180),
    accuracy_m double precision,
    at bigint not null
) with (fillfactor = 80);

create table device_token (
    token_hash bytea primary key,
    medic_id text not null references medic on delete cascade,
    created_at bigint not null
);
create index device_token_of_medic on device_token (medic_id);

-- One code a medic at a time: six digits, so salted and slow to hash, and five guesses.
create table enrolment_code (
    medic_id text primary key references medic on delete cascade,
    salt bytea not null,
    code_hash bytea not null,
    expires_at bigint not null,
    guesses_left smallint not null check (guesses_left >= 0)
);

-- An SMS that the provider posts twice counts once.
create table inbound_sms (
    provider_id text primary key,
    received_at bigint not null
);
create index inbound_sms_age on inbound_sms (received_at);
