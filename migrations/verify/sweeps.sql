-- Verify smsq:sweeps on pg

begin;

select 'delayed_waits'::regclass;
select 1 / has_function_privilege('smsq_scheduler', 'make_partitions(integer)', 'execute')::int;

rollback;
