-- Verify smsq:tokens on pg

begin;

select key_id, mode, rate_per_minute, last_used_at, version from api_tokens where false;
select version from api_token_changes where false;
select token_id, tat from rate_limits where false;
select epoch, seq, written_at from rate_limit_sources where false;
select 1 / (not has_column_privilege('smsq_admin', 'api_tokens', 'token_hash', 'select'))::int;

rollback;
