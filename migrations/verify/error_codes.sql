-- Verify smsq:error_codes on pg

begin;

select code, shows, action, least_wait_s, tries_max, opt_out, meaning, advice, changed_at,
       changed_by
  from error_codes where false;
select 1 / (count(*) > 100)::int from error_codes;
select 1 / has_table_privilege('smsq_worker', 'error_codes', 'select')::int;

rollback;
