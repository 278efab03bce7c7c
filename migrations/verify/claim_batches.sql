-- Verify smsq:claim_batches on pg

begin;

select epoch, number, claimed_at, message_ids from claim_batches where false;
select message_id, turn, claimed_epoch, claimed_at, class, lane, status
  from messages_held where false;
select 1 / has_table_privilege('smsq_worker', 'claim_batches', 'insert')::int;
select 1 / has_table_privilege('smsq_status', 'claim_batches', 'delete')::int;
select 1 / (to_regclass('messages_claimed_epoch') is null)::int;

rollback;
