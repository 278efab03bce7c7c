-- Verify smsq:switches_status on pg

begin;

select 1 / has_table_privilege('smsq_status', 'switches', 'insert')::int;
select 1 / has_table_privilege('smsq_status', 'switches', 'update')::int;

rollback;
