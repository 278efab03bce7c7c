-- Revert smsq:clients from pg

begin;
set local lock_timeout = '5s';

drop table api_tokens;
drop table clients;

commit;
