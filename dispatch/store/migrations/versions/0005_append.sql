-- 0004's, which finds an incident by its id however it is planned.
--
-- ``(a = b) is true`` is no condition of an index: it holds for all of a room's incidents. A plan that was made while the
-- table was empty took one of the indexes that begin with the room, and read them all for each decision until the
-- table was analyzed.

-- Returns each room's feed position before the append. Raises, with the id in the detail,
--   DP001 another decision was first, or the incident exists (the incident)
--   DP002 the idempotency key is taken
--   DP003 the reference was used within 24 h (the incident that used it)
--   DP004 there is no such control room (the control room)
--   DP005 the node that writes has let its lease run out (the node)
-- and unique_violation of incident_pkey (the incident exists) and of alert_one_claim_a_medic.
create or replace function append(
    rooms append_room[],  -- in id order
    streams append_stream[],
    new_details append_details[],
    new_inputs append_input[],
    new_alerts append_alert[],
    new_holds append_hold[],
    new_notifications append_notification[],
    new_outcomes append_outcome[],
    new_keys append_key[],
    told text[],  -- incidents that have ended, and of which every device has heard
    writer text  -- a node
) returns bigint[] language plpgsql volatile as $$
declare
    room append_room;
    pos bigint;
    before bigint[] := '{}';
    lives boolean;
    written integer;
    opened integer := 0;
    changed integer;
    culprit text;
    day constant bigint := 24 * 3600 * 1000;
begin
    foreach room in array rooms loop
        -- The node is looked at once the room is locked, so that no wait lies between that and the writing.
        update control_room set feed_pos = feed_pos + room.count where id = room.id
        returning feed_pos - room.count, exists (select from node where id = writer and lease_until > now_ms())
        into pos, lives;
        if not found then
            raise exception 'no control room' using errcode = 'DP004', detail = room.id;
        end if;
        before := before || pos;
        opened := opened + room.opened;
    end loop;
    if lives is null then  -- no room: a key alone
        lives := exists (select from node where id = writer and lease_until > now_ms());
    end if;
    if not lives then
        raise exception 'node fenced' using errcode = 'DP005', detail = writer;
    end if;

    if cardinality(new_keys) > 0 then
        insert into idempotency as old (control_room_id, key, request_hash, subject, created_at, append_id)
        select k.control_room_id, k.key, k.request_hash, k.subject, k.created_at, k.append_id
        from unnest(new_keys) k
        on conflict (control_room_id, key) do update
            set request_hash = excluded.request_hash, subject = excluded.subject,
                created_at = excluded.created_at, append_id = excluded.append_id
            where old.created_at < excluded.created_at - day;
        get diagnostics written = row_count;
        if written < cardinality(new_keys) then
            raise exception 'idempotency key taken' using errcode = 'DP002';
        end if;
    end if;
    if cardinality(streams) = 0 then
        return before;
    end if;

    if opened > 0 then
        insert into incident (
            id, control_room_id, reference, kind, priority, drill, state, policy, seq,
            opened_at, ended_at, due_at, owed, untold, feed_pos, node
        )
        select
            s.incident_id, rooms[s.room].id, s.reference, s.kind, s.priority, s.drill, s.state,
            (select hash from policy where hash = s.policy),  -- null, and so refused, where it is not kept
            s.count, s.opened_at, s.ended_at, s.due_at, s.owed, s.incident_id <> all(told),
            before[s.room] + s.feed_offset, writer
        from unnest(streams) s where s.seq = 1;
    end if;
    if opened < cardinality(streams) then
        update incident i set
            kind = s.kind, priority = s.priority, state = s.state,
            policy = case when i.policy = s.policy then i.policy else (select hash from policy where hash = s.policy) end,
            seq = s.seq + s.count - 1, ended_at = s.ended_at, due_at = s.due_at, owed = s.owed,
            untold = s.incident_id <> all(told), feed_pos = before[s.room] + s.feed_offset, node = writer
        from unnest(streams) s
        where s.seq > 1 and i.id = s.incident_id and i.seq = s.seq - 1
            and (i.control_room_id = rooms[s.room].id) is true;
        get diagnostics changed = row_count;
        if opened + changed < cardinality(streams) then
            -- What was written now stands at this append's own feed position.
            select s.incident_id into culprit
            from unnest(streams) s left join incident i
                on i.id = s.incident_id and (i.control_room_id = rooms[s.room].id) is true
                and i.feed_pos = before[s.room] + s.feed_offset
            where i.id is null limit 1;
            raise exception 'another decision was first' using errcode = 'DP001', detail = culprit;
        end if;
    end if;
    if opened > 0 then
        -- The room's lock makes this certain: who opened before has committed, who comes after waits.
        select i.id into culprit
        from unnest(streams) s join incident i
            on i.control_room_id = rooms[s.room].id and i.reference = s.reference
            and i.opened_at > s.opened_at - day and i.id <> s.incident_id
        where s.seq = 1 limit 1;
        if found then
            raise exception 'reference in use' using errcode = 'DP003', detail = culprit;
        end if;
    end if;

    insert into decision (incident_id, seq, count, control_room_id, feed_pos, append_id, schema_version, events)
    select
        s.incident_id, s.seq, s.count, rooms[s.room].id, before[s.room] + s.feed_offset, s.append_id,
        s.schema_version, s.events
    from unnest(streams) s;

    if cardinality(new_inputs) > 0 then
        insert into decision_input (incident_id, seq, body) select * from unnest(new_inputs);
    end if;
    if cardinality(new_details) > 0 then
        if opened > 0 then
            insert into incident_details (incident_id, lat, lon, accuracy_m, address, directions, details)
            select d.incident_id, d.lat, d.lon, d.accuracy_m, d.address, d.directions, d.details
            from unnest(new_details) d where d.opened;
        end if;
        if opened < cardinality(streams) then
            insert into incident_details (incident_id, lat, lon, accuracy_m, address, directions, details)
            select d.incident_id, d.lat, d.lon, d.accuracy_m, d.address, d.directions, d.details
            from unnest(new_details) d where not d.opened
            on conflict (incident_id) do update
                set lat = excluded.lat, lon = excluded.lon, accuracy_m = excluded.accuracy_m,
                    address = excluded.address, directions = excluded.directions, details = excluded.details;
        end if;
    end if;

    -- Ends before beginnings, and beginnings in medic order: in any other, two nodes would wait for each other.
    if cardinality(new_holds) > 0 then
        update alert a set holds = null from unnest(new_holds) h
        where a.incident_id = h.incident_id and a.n = h.n and h.holds is null and a.holds is not null;
        update alert a set holds = h.holds from unnest(new_holds) h
        where a.incident_id = h.incident_id and a.n = h.n and h.holds is not null;
    end if;
    if cardinality(new_alerts) > 0 then
        insert into alert (incident_id, n, medic_id, distance_m, digit_pair, drill, holds)
        select * from unnest(new_alerts) a order by a.medic_id;
    end if;

    if cardinality(new_notifications) > 0 then
        insert into notification (incident_id, n, k, channel, purpose, state, requested_at, node)
        select t.*, writer from unnest(new_notifications) t;
    end if;
    if cardinality(new_outcomes) > 0 then
        update notification n set state = o.state, provider_id = coalesce(o.provider_id, n.provider_id)
        from unnest(new_outcomes) o
        where n.incident_id = o.incident_id and n.n = o.n and n.k = o.k;
    end if;
    return before;
end
$$;
