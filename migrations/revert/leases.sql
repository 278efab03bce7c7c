-- Revert smsq:leases from pg

begin;
set local lock_timeout = '5s';

drop table leases;

commit;
