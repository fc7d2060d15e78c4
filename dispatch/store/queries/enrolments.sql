-- name: put
-- A medic's new code takes the place of her last one.
insert into enrolment_code (medic_id, salt, code_hash, expires_at, guesses_left)
select id, $2, $3, $4, $5 from medic where id = $1
on conflict (medic_id) do update
    set salt = excluded.salt, code_hash = excluded.code_hash,
        expires_at = excluded.expires_at, guesses_left = excluded.guesses_left
returning true;

-- name: guess
-- Takes one guess, if one is left and the code still holds, and gives what to compare with.
update enrolment_code set guesses_left = guesses_left - 1
where medic_id = $1 and guesses_left > 0 and expires_at > $2
returning salt, code_hash;

-- name: use
-- A right guess uses the code up; of two at once, one.
delete from enrolment_code where medic_id = $1 and code_hash = $2 returning true;

-- name: purge
-- Forgets the codes that no longer hold.
delete from enrolment_code where expires_at <= $1;
