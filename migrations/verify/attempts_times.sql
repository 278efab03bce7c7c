-- Verify smsq:attempts_times on pg

begin;

select epoch, claimed_at, posted_at from attempts where false;

rollback;
