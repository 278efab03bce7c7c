-- Verify smsq:roles on pg

begin;

select 1 / has_table_privilege('smsq_worker', 'messages', 'update')::int;
select 1 / (not has_table_privilege('smsq_worker', 'cost_entries', 'update'))::int;
select 1 / (not has_table_privilege('public', 'messages', 'select'))::int;

rollback;
