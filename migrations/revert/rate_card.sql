-- Revert smsq:rate_card from pg

begin;
set local lock_timeout = '5s';

drop table rate_card;

commit;
