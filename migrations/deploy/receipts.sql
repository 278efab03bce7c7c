-- Deploy smsq:receipts to pg

begin;
set local lock_timeout = '5s';

create table receipts (
    recorded_at timestamptz not null,
    off         bigint not null,
    part        integer not null,
    turn        integer,
    message_id  uuid,
    received_at timestamptz not null,
    error_code  integer,
    rank        smallint,
    twilio_sid  text not null,
    word        text not null,
    raw         bytea not null,
    primary key (recorded_at, part, off)
) partition by range (recorded_at);

comment on table receipts is
    'Every callback as it came; only added to. Its key is its place in Kafka, so that a redelivery adds nothing';
comment on column receipts.recorded_at is 'Time of the Kafka record';
comment on column receipts.off is 'Offset of the Kafka record';
comment on column receipts.part is 'Partition of the Kafka record';
comment on column receipts.turn is 'Turn of the attempt, from the callback address; null = not given';
comment on column receipts.message_id is 'Message, from the callback address; null = not given, found by the provider''s id';
comment on column receipts.received_at is 'When our receiver took it';
comment on column receipts.error_code is 'Provider''s error code; null = none';
comment on column receipts.rank is 'Rank of the word; null = a word unknown to us';
comment on column receipts.twilio_sid is 'Provider''s id of the attempt';
comment on column receipts.word is 'Provider''s status word as received';
comment on column receipts.raw is 'The whole form, sealed (AES-256-GCM; additional data is twilio_sid)';

create table receipts_unmatched (
    recorded_at timestamptz not null,
    off         bigint not null,
    part        integer not null,
    turn        integer,
    message_id  uuid,
    received_at timestamptz not null,
    error_code  integer,
    rank        smallint not null,
    twilio_sid  text not null,
    status      text not null,
    primary key (recorded_at, part, off)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

comment on table receipts_unmatched is
    'Receipts that wait for their message: it has no row yet, or only the provider''s id is known';
comment on column receipts_unmatched.recorded_at is 'Time of the Kafka record';
comment on column receipts_unmatched.off is 'Offset of the Kafka record';
comment on column receipts_unmatched.part is 'Partition of the Kafka record';
comment on column receipts_unmatched.turn is 'Turn of the attempt; null = not given';
comment on column receipts_unmatched.message_id is 'Message; null = not given';
comment on column receipts_unmatched.received_at is 'When our receiver took it';
comment on column receipts_unmatched.error_code is 'Provider''s error code; null = none';
comment on column receipts_unmatched.rank is 'Rank of the status';
comment on column receipts_unmatched.twilio_sid is 'Provider''s id of the attempt';
comment on column receipts_unmatched.status is 'Inner status that the word stands for';

insert into partitioned_tables (name, by_id, settings) values
    ('receipts', false, 'autovacuum_vacuum_insert_scale_factor = 0.1');
do $$ begin perform make_partitions(13); end $$;

commit;
