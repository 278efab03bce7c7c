-- Deploy smsq:attempts_times to pg
-- Who posted an attempt, and when: for the story of a message. Filled from now on.

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

alter table attempts add column epoch bigint, add column claimed_at timestamptz,
    add column posted_at timestamptz;

-- Partitions carry the comments of their table.
do $$
declare
    part regclass;
begin
    for part in select relid from pg_partition_tree('attempts') loop
        execute format('comment on column %s.epoch is %L', part,
                       'Worker epoch that posted it; null = not known');
        execute format('comment on column %s.claimed_at is %L', part,
                       'When that worker sent its claim, or renewed it; null = not known');
        execute format('comment on column %s.posted_at is %L', part,
                       'When the request was given to the HTTP client; null = not known');
    end loop;
end
$$;

commit;
