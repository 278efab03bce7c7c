-- Revert smsq:dead_letters from pg

begin;
set local lock_timeout = '5s';

drop table dead_letters;

commit;
