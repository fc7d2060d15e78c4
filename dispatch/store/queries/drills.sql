-- name: purge
-- Deletes a control room's oldest incidents with all that is theirs, as far as they ended before then; how many.
with life as (
    select i.id, min(d.feed_pos - d.count) as begins, max(d.feed_pos) as ends,
        coalesce(i.ended_at < $2 and not i.owed, false) as over
    from incident i
    join control_room r on r.id = i.control_room_id
    join decision d on d.incident_id = i.id
    where r.name = $1
    group by i.id
), front as (
    select
        max(ends) over so_far as ends, bool_and(over) over so_far as over,
        lead(begins) over (order by begins) as next_begins
    from life
    window so_far as (order by begins)
), gone as (
    delete from incident i using life l
    where i.id = l.id and l.ends <= (
        select max(ends) from front where over and (next_begins is null or ends <= next_begins)
    )
    returning i.id
), gone_decisions as (
    delete from decision where incident_id in (select id from gone)
), gone_inputs as (
    delete from decision_input where incident_id in (select id from gone)
), gone_details as (
    delete from incident_details where incident_id in (select id from gone)
), gone_alerts as (
    delete from alert where incident_id in (select id from gone)
), gone_notifications as (
    delete from notification where incident_id in (select id from gone)
)
select count(*) from gone;
