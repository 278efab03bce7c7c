-- Deploy smsq:movers to pg
-- What the scheduler needs to move fast: an index in the very order in which it reads, and
-- the right to end a message that can never be moved.

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

drop index delayed_due;
create index delayed_due on delayed (lane, due, message_id, turn);

grant update (status, rank, shown_turn, reason) on messages to smsq_scheduler;

commit;
