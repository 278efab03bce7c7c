-- Revert smsq:messages from pg

begin;
set local lock_timeout = '5s';

drop table messages;
delete from partitioned_tables where name = 'messages';

commit;
