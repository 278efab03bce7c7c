-- Deploy smsq:receipts_signer to pg
-- Who vouches for a receipt: the simulator's word must never move a real message.

begin;
set local role smsq_owner;
set local lock_timeout = '5s';

alter table receipts add column simulated boolean not null default false;
alter table receipts_unmatched add column simulated boolean not null default false;
comment on column receipts_unmatched.simulated is 'The simulator signed it, not the provider: it is about simulated messages only';

-- Partitions carry the comments of their table.
do $$
declare
    part regclass;
begin
    for part in select relid from pg_partition_tree('receipts') loop
        execute format('comment on column %s.simulated is %L', part,
                       'The simulator signed it, not the provider: it is about simulated messages only');
    end loop;
end
$$;
grant select (simulated) on receipts to smsq_analyst;

commit;
