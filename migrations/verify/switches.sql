-- Verify smsq:switches on pg

begin;

select name, scope, state, since, probe_at, prober, probes, code, http_status, reason, changed_by
  from switches where false;

rollback;
