-- Revert smsq:sweeps from pg

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

revoke execute on function make_partitions(integer) from smsq_scheduler;
drop index delayed_waits;

commit;
