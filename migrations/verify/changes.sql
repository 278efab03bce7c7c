-- Verify smsq:changes on pg

begin;

select 1 / has_column_privilege('smsq_producer', 'messages', 'send_at', 'update')::int;
select 1 / has_table_privilege('smsq_producer', 'delayed', 'insert')::int;

rollback;
