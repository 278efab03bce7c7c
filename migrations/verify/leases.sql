-- Verify smsq:leases on pg

begin;

select name, holder, held_by, expires_at from leases where false;
select 1 / has_table_privilege('smsq_status', 'leases', 'update')::int;

rollback;
