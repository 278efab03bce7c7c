-- Deploy smsq:idempotency_keys to pg

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

-- No foreign key to clients: its check would lock one row of clients per request.
create table idempotency_keys (
    key_hash     bytea primary key check (octet_length(key_hash) = 16),
    client       integer not null,
    request_hash bytea not null check (octet_length(request_hash) = 16),
    message_id   uuid not null,
    claim        uuid not null,
    created_at   timestamptz not null default now(),
    claimed_at   timestamptz not null default now(),
    published_at timestamptz
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05,
        autovacuum_vacuum_cost_delay = 1);

create index idempotency_keys_created_at on idempotency_keys (created_at);

comment on table idempotency_keys is
    'Idempotency keys of clients: which message a key stands for. Forgotten after scheduler.idempotency_keep';
comment on column idempotency_keys.key_hash is 'Keyed hash of client and key; the key itself is kept nowhere';
comment on column idempotency_keys.client is 'Client that gave the key';
comment on column idempotency_keys.request_hash is 'Keyed hash of what decides the message; another one is another request';
comment on column idempotency_keys.message_id is 'Id of the message, the same for each repeat';
comment on column idempotency_keys.claim is 'The one request that may publish now: a UUID of its own';
comment on column idempotency_keys.created_at is 'When the key came first';
comment on column idempotency_keys.claimed_at is 'When that request got its claim; it lapses after some seconds. Given back: a minute ago';
comment on column idempotency_keys.published_at is 'When Kafka had confirmed the message; null = not, or nobody knows';

-- Nobody but these reads it, and nobody changes which message a key stands for. Locking a
-- row wants the right to update something of it.
grant select, insert, update (claim, claimed_at, published_at) on idempotency_keys
   to smsq_producer;
grant select (key_hash, created_at, claimed_at), update (claimed_at), delete
   on idempotency_keys to smsq_scheduler;

commit;
