-- Revert smsq:receipts from pg

begin;
set local lock_timeout = '5s';

drop table receipts_unmatched;
drop table receipts;
delete from partitioned_tables where name = 'receipts';

commit;
