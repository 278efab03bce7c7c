-- Revert smsq:delayed from pg

begin;
set local lock_timeout = '5s';

drop table delayed;

commit;
