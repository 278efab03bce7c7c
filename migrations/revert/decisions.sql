-- Revert smsq:decisions from pg

begin;
set local lock_timeout = '5s';

drop table decisions;
delete from partitioned_tables where name = 'decisions';

commit;
