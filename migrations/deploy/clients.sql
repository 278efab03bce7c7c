-- Deploy smsq:clients to pg

begin;
set local lock_timeout = '5s';

create table clients (
    client_id  integer generated always as identity primary key,
    name       text not null unique check (length(name) between 1 and 100),
    created_at timestamptz not null default now()
);
comment on table clients is 'Who may ask for messages: a service, a team, a customer';
comment on column clients.client_id is 'Number in every message of the client';
comment on column clients.name is 'Its name, for people';
comment on column clients.created_at is 'When it was entered';

create table api_tokens (
    token_id     bigint generated always as identity primary key,
    client_id    integer not null references clients,
    token_hash   bytea not null unique check (octet_length(token_hash) = 32),
    shown_prefix text not null,
    scopes       text[] not null,
    created_at   timestamptz not null default now(),
    expires_at   timestamptz,
    revoked_at   timestamptz
);
create index api_tokens_client_id on api_tokens (client_id);
comment on table api_tokens is 'API tokens of clients; the tokens themselves are kept nowhere';
comment on column api_tokens.token_id is 'Number of the token, for people and logs';
comment on column api_tokens.client_id is 'Client that the token stands for';
comment on column api_tokens.token_hash is 'HMAC-SHA-256 of the token under the installation''s token key';
comment on column api_tokens.shown_prefix is 'First characters of the token, to tell it from others';
comment on column api_tokens.scopes is 'What it may do: send_sms, view_sms_history, ...';
comment on column api_tokens.created_at is 'When it was made';
comment on column api_tokens.expires_at is 'From when on it is refused; null = never';
comment on column api_tokens.revoked_at is 'When it was revoked; null = it was not';

commit;
