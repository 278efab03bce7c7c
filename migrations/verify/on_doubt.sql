-- Verify smsq:on_doubt on pg

begin;

select on_doubt from messages where false;

rollback;
