-- Revert smsq:movers from pg

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

revoke update (status, rank, shown_turn, reason) on messages from smsq_scheduler;

drop index delayed_due;
create index delayed_due on delayed (lane, due);

commit;
