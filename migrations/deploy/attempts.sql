-- Deploy smsq:attempts to pg

begin;
set local lock_timeout = '5s';

create table attempts (
    message_id  uuid not null,
    turn        integer not null check (turn >= 1),
    error_code  integer,
    answered_at timestamptz,
    rank        smallint not null check (rank between 0 and 80),
    http_status smallint,
    segments    smallint,
    twilio_sid  text,
    status      text check (status in (
        'in_doubt', 'queued', 'sending', 'sent', 'delivered', 'read', 'failed', 'undelivered',
        'timed_out', 'partially_delivered', 'unknown', 'canceled')),
    outcome     text check (outcome in (
        'accepted', 'rejected', 'in_doubt', 'not_processed', 'misconfigured')),
    primary key (message_id, turn)
) partition by range (message_id);

-- Only ever looked up by equality, and every SID stands once.
create index attempts_twilio_sid on attempts using hash (twilio_sid);

comment on table attempts is
    'One row per POST that may have left us: a message sent again has several, each with its own provider id and bill';
comment on column attempts.message_id is 'Message it was for';
comment on column attempts.turn is 'Turn of the message at which it was posted';
comment on column attempts.error_code is 'Provider''s error code that belongs to the status; null = none';
comment on column attempts.answered_at is 'When the provider answered the POST; null = the answer is not known';
comment on column attempts.rank is 'Rank of the status: it only rises';
comment on column attempts.http_status is 'HTTP status of the answer; null = none came';
comment on column attempts.segments is 'Parts as the provider counts them; null = not told';
comment on column attempts.twilio_sid is 'Provider''s id of it; null = not known';
comment on column attempts.status is 'What became of it; null = the provider says that it did nothing';
comment on column attempts.outcome is 'What the POST came to: accepted, rejected, in_doubt, not_processed, misconfigured; null = known from callbacks only';

insert into partitioned_tables (name, by_id, settings) values
    ('attempts', true, 'fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05,'
     ' autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 1');
do $$ begin perform make_partitions(13); end $$;

commit;
