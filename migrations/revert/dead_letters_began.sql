-- Revert smsq:dead_letters_began from pg

begin;
set local lock_timeout = '5s';

revoke select (buried_at) on dead_letters from smsq_status;
alter table dead_letters drop column replay_began_at;

commit;
