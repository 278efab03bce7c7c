-- Verify smsq:movers on pg

begin;

select 1 / (count(*) = 4)::int from pg_attribute where attrelid = 'delayed_due'::regclass;
select 1 / has_column_privilege('smsq_scheduler', 'messages', 'status', 'update')::int;

rollback;
