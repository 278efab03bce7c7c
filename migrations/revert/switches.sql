-- Revert smsq:switches from pg

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

drop table switches;

commit;
