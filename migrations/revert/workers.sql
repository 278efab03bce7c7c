-- Revert smsq:workers from pg

begin;
set local lock_timeout = '5s';

drop table workers;

commit;
