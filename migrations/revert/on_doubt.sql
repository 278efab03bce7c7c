-- Revert smsq:on_doubt from pg

begin;
set local lock_timeout = '5s';

alter table messages drop column on_doubt;

commit;
