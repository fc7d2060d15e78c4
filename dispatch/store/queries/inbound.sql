-- name: first_time
-- Remembers an SMS that came in; gives a row the first time only.
insert into inbound_sms (provider_id, received_at) values ($1, $2)
on conflict (provider_id) do nothing
returning true;

-- name: purge
-- Forgets the SMS that came in before then.
delete from inbound_sms where received_at < $1;

-- name: known
-- An inbound SMS that was dealt with.
select true from inbound_sms where provider_id = $1;
