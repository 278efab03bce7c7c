-- Deploy smsq:changes to pg
-- The API lets a client cancel and reschedule what waits: the rights for it.

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

grant insert (message_id, client, turn, status, rank, reason, send_at),
      update (turn, status, rank, reason, send_at, expires_at)
   on messages to smsq_producer;
grant insert, delete on delayed to smsq_producer;

commit;
