-- Deploy smsq:dead_letters_began to pg
-- A replayed record may fail and come back before its replay is marked, so the beginning
-- is written down too.

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

alter table dead_letters add column replay_began_at timestamptz;
comment on column dead_letters.replay_began_at is
    'When a replay of it last began; null = never';
comment on column dead_letters.replay_of is
    'Letter with the same content whose replay had begun before this one came; null = none';
grant select (replay_began_at, buried_at) on dead_letters to smsq_status;
grant update (replay_began_at) on dead_letters to smsq_admin;

commit;
