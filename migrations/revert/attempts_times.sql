-- Revert smsq:attempts_times from pg

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

alter table attempts drop column epoch, drop column claimed_at, drop column posted_at;

commit;
