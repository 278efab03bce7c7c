-- Revert smsq:attempts from pg

begin;
set local lock_timeout = '5s';

drop table attempts;
delete from partitioned_tables where name = 'attempts';

commit;
