-- Verify smsq:clients on pg

begin;

select client_id, name, created_at from clients where false;
select token_id, client_id, token_hash, shown_prefix, scopes, created_at, expires_at,
       revoked_at
  from api_tokens where false;

rollback;
