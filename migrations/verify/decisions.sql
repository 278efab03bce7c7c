-- Verify smsq:decisions on pg

begin;

select message_id, decided_at, due, turn, kind, reason, decided_by
  from decisions where false;
select 1 / has_table_privilege('smsq_worker', 'decisions', 'insert')::int;

rollback;
