-- Revert smsq:changes from pg

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

revoke insert (message_id, client, turn, status, rank, reason, send_at),
       update (turn, status, rank, reason, send_at, expires_at)
    on messages from smsq_producer;
revoke insert, delete on delayed from smsq_producer;

commit;
