-- ``untold``: false once it has ended and every device has heard of it, so that nobody may come back for anything. A
-- start reads the others alone, and not every incident of the last hour. What ended before this release, or by a node
-- of an older one, counts as untold.
alter table incident add column untold boolean not null default true;
create index incident_untold on incident (ended_at) where untold and ended_at is not null;
drop index incident_ended;
