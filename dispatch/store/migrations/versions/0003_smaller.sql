-- A check is read and compiled anew by every statement that writes to its table, which took a tenth of the append. What
-- these said of a row is so by how `dispatch.store.append_rows`, which alone writes them, makes it from typed events.
-- The policy is looked up by the append, which is quicker than a reference: that locks the policy's row.
alter table incident
    drop constraint incident_policy_fkey, drop constraint incident_state_check, drop constraint incident_seq_check,
    drop constraint incident_check, drop constraint incident_check1;
alter table decision drop constraint decision_seq_check, drop constraint decision_count_check;
alter table alert drop constraint alert_n_check, drop constraint alert_holds_check;
alter table incident_details
    drop constraint incident_details_lat_check, drop constraint incident_details_lon_check;

-- Twenty alerts' events are some 6 KB of JSON that says the same again and again: compressed where a row has more than
-- 2 KB, to an eighth, in the row itself. To compress them takes as long as to add the page that they would fill.
alter table decision reset (toast_tuple_target);
-- The ids too are `main`, or they would be moved out of the row before what is large is compressed.
alter table decision
    alter events set storage main, alter incident_id set storage main, alter control_room_id set storage main;
alter table decision_input reset (toast_tuple_target);
alter table decision_input alter body set storage main, alter incident_id set storage main;
