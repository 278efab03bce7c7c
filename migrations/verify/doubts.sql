-- Verify smsq:doubts on pg

begin;

select message_id, since, next_look_at, last_empty_at, turn, looks, empty_lists,
       is_ambiguous, class, note
  from doubts where false;
select name, message_id, turn, moved_at from sweeps where false;
select message_id, next_at, stage from sweep_late where false;
select 1 / has_table_privilege('smsq_status', 'doubts', 'insert')::int;
select 1 / has_column_privilege('smsq_admin', 'messages', 'status', 'update')::int;

rollback;
