-- Deploy smsq:tokens to pg
-- Tokens get a public key id, a mode and a rate; producers keep them in memory and ask for
-- what has changed; rate limits are shared between producers.

begin;
set local role smsq_owner;
set local lock_timeout = '5s';

alter table api_tokens
    add column key_id text,
    add column mode text not null default 'live' check (mode in ('simulate', 'listed', 'live')),
    add column rate_per_minute integer check (rate_per_minute between 0 and 1000000),
    add column last_used_at timestamptz,
    add column version bigint not null default 0;

-- Tokens of the form before have no key id and no check sum: they end here.
update api_tokens
   set key_id = 'old' || lpad(token_id::text, 9, '0'), revoked_at = coalesce(revoked_at, now());
alter table api_tokens
    alter column key_id set not null,
    add constraint api_tokens_key_id unique (key_id);
create unique index api_tokens_version on api_tokens (version) where version > 0;

comment on column api_tokens.key_id is 'Public name of the token: 12 characters in its middle';
comment on column api_tokens.mode is 'The most that its messages may do: simulate, listed (sent to listed numbers), live';
comment on column api_tokens.rate_per_minute is 'Requests per minute; 0 = no limit; null = the setting producer.rate_limit';
comment on column api_tokens.last_used_at is 'Hour of its latest use';
comment on column api_tokens.version is 'Number of its latest change among all changes of all tokens';

create table api_token_changes (
    only_row boolean primary key default true check (only_row),
    version  bigint not null
);
insert into api_token_changes (version) values (0);
comment on table api_token_changes is 'Counts the changes of api_tokens, so that producers ask for new ones only';
comment on column api_token_changes.only_row is 'There is one row';
comment on column api_token_changes.version is 'Number of the latest change';

-- The lock on the row orders changes as they commit: who has seen a number has seen all
-- below it.
create function api_tokens_changed() returns trigger
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'a token is revoked, not deleted: producers would not hear of it'
            using errcode = 'restrict_violation';
    end if;
    update public.api_token_changes set version = version + 1 returning version into new.version;
    return new;
end
$$;
comment on function api_tokens_changed() is 'Numbers each change of a token; refuses to delete one';

create trigger api_tokens_changed
    before insert or delete or update of client_id, key_id, token_hash, scopes, mode,
        rate_per_minute, expires_at, revoked_at on api_tokens
    for each row execute function api_tokens_changed();
update api_tokens set mode = mode;

-- What producers tell each other about rates. Unlogged: after a crash of PostgreSQL every
-- limit begins anew.
create unlogged table rate_limits (
    token_id bigint primary key,
    tat      timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 1000);
comment on table rate_limits is 'How far each token''s rate is used up, over all producers (GCRA)';
comment on column rate_limits.token_id is 'Token (api_tokens.token_id)';
comment on column rate_limits.tat is 'When all its requests so far would have come at exactly its rate';

create unlogged table rate_limit_sources (
    epoch      bigint primary key,
    seq        bigint not null,
    written_at timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 1000);
comment on table rate_limit_sources is 'One row per life of a producer: a batch of it that comes again counts once';
comment on column rate_limit_sources.epoch is '63 random bits, taken at the start of each life';
comment on column rate_limit_sources.seq is 'Number of its latest batch';
comment on column rate_limit_sources.written_at is 'When that came';

revoke select on api_tokens from smsq_producer;
grant select (token_id, client_id, key_id, token_hash, scopes, mode, rate_per_minute,
              expires_at, revoked_at, last_used_at, version),
      update (last_used_at)
   on api_tokens to smsq_producer;
grant select, insert, update, delete on rate_limit_sources to smsq_producer;
grant select, insert, update on rate_limits to smsq_producer;

revoke insert on api_tokens from smsq_admin;
grant select (key_id, mode, rate_per_minute, last_used_at),
      insert (client_id, key_id, shown_prefix, token_hash, scopes, mode, rate_per_minute,
              expires_at)
   on api_tokens to smsq_admin;

commit;
