-- Deploy smsq:dead_letters to pg
-- One table without partitions: dead letters are few, and smsq dlq purge takes their
-- content and later themselves away.

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

create table dead_letters (
    letter_id    bigint generated always as identity primary key,
    off          bigint not null,
    record_at    timestamptz not null,
    buried_at    timestamptz not null,
    settled_at   timestamptz,
    replay_of    bigint,
    message_id   uuid,
    part         integer not null,
    client       integer,
    replays      integer not null default 0,
    is_whole     boolean not null,
    topic        text not null,
    reason       text not null,
    detail       text not null,
    program      text,
    state        text not null default 'waiting'
                 check (state in ('waiting', 'replayed', 'purged')),
    settled_by   text,
    content_hash bytea not null,
    sealed       bytea,
    unique (topic, part, off, record_at),
    check ((state = 'waiting') = (settled_at is null)),
    check ((state = 'purged') = (sealed is null))
);
create index dead_letters_content_hash on dead_letters (content_hash);
create index dead_letters_message_id on dead_letters (message_id)
 where message_id is not null;

comment on table dead_letters is
    'Records that nobody could take, from topic sms.dead. A place in Kafka has one row, however often it comes';
comment on column dead_letters.letter_id is 'Number of the letter, for smsq dlq';
comment on column dead_letters.off is 'Offset of the record where it came from';
comment on column dead_letters.record_at is 'Time of that record; 1970-01-01 = it had none';
comment on column dead_letters.buried_at is 'When it came to sms.dead';
comment on column dead_letters.settled_at is 'When it was last replayed, or purged; null = it waits';
comment on column dead_letters.replay_of is 'Letter with the same content that had been replayed before this one came; null = none';
comment on column dead_letters.message_id is 'Message, when the record names one that can be read';
comment on column dead_letters.part is 'Partition of the record where it came from';
comment on column dead_letters.client is 'Client, when the record names one that can be read';
comment on column dead_letters.replays is 'How often this content had been replayed before and came back';
comment on column dead_letters.is_whole is 'Whether key and value are whole; what was cut cannot be replayed';
comment on column dead_letters.topic is 'Topic that the record came from; sms.dead = the letter itself cannot be read';
comment on column dead_letters.reason is 'Stable word: bad_record, cannot_open, ...';
comment on column dead_letters.detail is 'Sentence for people';
comment on column dead_letters.program is 'Program that gave the record up; null = not told';
comment on column dead_letters.state is 'waiting, replayed, or purged (its content is gone)';
comment on column dead_letters.settled_by is 'Who replayed or purged it: user@host';
comment on column dead_letters.content_hash is 'Keyed hash of origin topic, key and value';
comment on column dead_letters.sealed is 'The letter as in sms.dead, sealed (AES-256-GCM; additional data is topic/part/off); null = purged';

-- smsq-status-consumer keeps them, smsq dlq deals with them.
grant select (letter_id, topic, part, off, record_at, state, settled_at, replays,
              content_hash), insert
   on dead_letters to smsq_status;
grant select, update (state, settled_at, settled_by, sealed), delete
   on dead_letters to smsq_admin;
grant select (letter_id, off, record_at, buried_at, settled_at, replay_of, message_id, part,
              client, replays, is_whole, topic, reason, program, state)
   on dead_letters to smsq_analyst;

commit;
