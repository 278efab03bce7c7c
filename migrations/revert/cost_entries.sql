-- Revert smsq:cost_entries from pg

begin;
set local lock_timeout = '5s';

drop table cost_entries;
delete from partitioned_tables where name = 'cost_entries';

commit;
