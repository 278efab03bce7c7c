-- Revert smsq:workers_patience from pg

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

revoke select, delete on workers from smsq_status;
revoke update (dead_at) on workers from smsq_status;
alter table workers drop column dead_after, drop column rescue_after;

commit;
