-- Revert smsq:partitions from pg

begin;
set local lock_timeout = '5s';

drop function make_partitions(integer);
drop function make_partition(partitioned_tables, date);
drop table partitioned_tables;
drop function first_id_of_month(date);

commit;
