-- Revert smsq:tokens from pg

begin;
set local role smsq_owner;
set local lock_timeout = '5s';

drop table rate_limit_sources;
drop table rate_limits;
drop trigger api_tokens_changed on api_tokens;
drop function api_tokens_changed();
drop table api_token_changes;
alter table api_tokens
    drop column key_id,
    drop column mode,
    drop column rate_per_minute,
    drop column last_used_at,
    drop column version;
grant select on api_tokens to smsq_producer;
grant insert on api_tokens to smsq_admin;

commit;
