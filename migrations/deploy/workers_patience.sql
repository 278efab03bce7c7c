-- Deploy smsq:workers_patience to pg
-- Each worker says itself when it is dead and when its claims are: the rescuer then goes by
-- the worker's settings, whatever its own are.

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

alter table workers
    add column dead_after interval not null default '15s',
    add column rescue_after interval not null default '45s';
comment on column workers.dead_after is
    'Without a beat for so long it is buried';
comment on column workers.rescue_after is
    'A claim of a dead worker that is older is in doubt: by then no POST of it is under way any more';

grant select, delete on workers to smsq_status;
grant update (dead_at) on workers to smsq_status;

commit;
