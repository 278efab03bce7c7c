-- Verify smsq:dead_letters_began on pg

begin;

select replay_began_at from dead_letters where false;
select 1 / has_column_privilege('smsq_status', 'dead_letters', 'buried_at', 'select')::int;

rollback;
