-- Verify smsq:workers_patience on pg

begin;

select dead_after, rescue_after from workers where false;
select 1 / has_table_privilege('smsq_status', 'workers', 'delete')::int;
select 1 / has_column_privilege('smsq_status', 'workers', 'dead_at', 'update')::int;

rollback;
