-- Deploy smsq:leases to pg
-- Work that one process at a time does: the row says who, and until when. It expires, so a
-- frozen holder stops nobody.

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

create table leases (
    name       text primary key,
    holder     bigint not null,
    held_by    text not null,
    expires_at timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 200);

comment on table leases is
    'Who does what only one process at a time does: movers by lane, the rescuer, sweeps';
comment on column leases.name is 'Work that is leased';
comment on column leases.holder is '63 random bits of the process that holds it';
comment on column leases.held_by is 'Program, host and process number of the holder, for people';
comment on column leases.expires_at is 'From then on anybody may take it';

grant select, insert, update, delete on leases to smsq_scheduler, smsq_status;
grant select on leases to smsq_admin, smsq_analyst, smsq_worker, smsq_producer;

commit;
