-- Verify smsq:idempotency_keys on pg

begin;

select key_hash, client, request_hash, message_id, claim, created_at, claimed_at, published_at
  from idempotency_keys where false;

rollback;
