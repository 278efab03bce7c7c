-- Verify smsq:operators_read on pg

begin;

select 1 / has_column_privilege('smsq_admin', 'messages', 'status', 'select')::int;
select 1 / (not has_column_privilege('smsq_admin', 'messages', 'sealed', 'select'))::int;
select 1 / (not has_column_privilege('smsq_admin', 'receipts', 'raw', 'select'))::int;
select 1 / has_table_privilege('smsq_admin', 'attempts', 'select')::int;

rollback;
