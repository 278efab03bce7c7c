-- Verify smsq:dead_letters on pg

begin;

select letter_id, off, record_at, buried_at, settled_at, replay_of, message_id, part, client,
       replays, is_whole, topic, reason, detail, program, state, settled_by, content_hash,
       sealed
  from dead_letters where false;
select 1 / has_any_column_privilege('smsq_status', 'dead_letters', 'insert')::int;
select 1 / has_table_privilege('smsq_admin', 'dead_letters', 'delete')::int;

rollback;
