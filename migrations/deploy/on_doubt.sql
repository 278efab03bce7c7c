-- Deploy smsq:on_doubt to pg

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

alter table messages add column on_doubt text;
alter table messages add constraint messages_on_doubt
    check (on_doubt = 'resend') not valid;

-- Partitions carry the comments of their table.
do $$
declare
    part regclass;
begin
    for part in select relid from pg_partition_tree('messages') loop
        execute format('comment on column %s.on_doubt is %L', part,
                       'resend: its client wants it sent once more when nobody can say whether it went out; null = leaves that to the class');
    end loop;
end
$$;
grant select (on_doubt) on messages to smsq_analyst;

commit;
