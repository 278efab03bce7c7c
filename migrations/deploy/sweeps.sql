-- Deploy smsq:sweeps to pg
-- What the scheduler's sweeps need: an index of what waits for no time that its sender
-- gave, and the right to have partitions made.

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

create index delayed_waits on delayed (message_id, turn) where kind <> 'schedule';

grant execute on function make_partitions(integer) to smsq_scheduler;

commit;
