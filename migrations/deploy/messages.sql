-- Deploy smsq:messages to pg
-- The row a message has from its claim on. No foreign keys and no index on anything that
-- changes, except claimed_epoch: most updates stay heap-only (HOT).

begin;
set local lock_timeout = '5s';

create table messages (
    message_id      uuid primary key,
    claimed_epoch   bigint,
    claimed_at      timestamptz,
    accepted_at     timestamptz,
    send_at         timestamptz,
    expires_at      timestamptz,
    sent_at         timestamptz,
    delivered_at    timestamptz,
    estimate_micros bigint,
    client          integer not null,
    turn            integer not null check (turn >= 0),
    shown_turn      integer,
    error_code      integer,
    campaign_row    integer,
    campaign_id     uuid,
    tries           smallint not null default 0,
    rank            smallint not null check (rank between 0 and 80),
    segments        smallint,
    status          text not null check (status in (
        'waiting', 'claimed', 'in_doubt', 'queued', 'sending', 'sent', 'delivered', 'read',
        'failed', 'undelivered', 'timed_out', 'partially_delivered', 'expired', 'unknown',
        'suppressed', 'canceled')),
    class           text check (class in ('otp', 'emergency', 'transactional', 'marketing')),
    lane            text check (lane in ('urgent', 'normal', 'bulk')),
    channel         text check (channel in ('sms')),
    mode            text check (mode in ('simulate', 'listed', 'live')),
    sender_type     text check (sender_type in (
        'number', 'messaging_service', 'short_code', 'alphanumeric')),
    sender          text,
    country         text,
    to_hint         text,
    currency        text check (length(currency) = 3),
    rate_note       text,
    reason          text,
    twilio_sid      text,
    template_ref    text,
    reference       text,
    traceparent     text,
    to_hash         bytea,
    sealed          bytea,
    constraint messages_claimed
        check ((claimed_epoch is not null) = (status in ('claimed', 'in_doubt')))
) partition by range (message_id);

create index messages_claimed_epoch on messages (claimed_epoch)
    where claimed_epoch is not null;
create index messages_to_hash on messages (to_hash);

comment on table messages is
    'One row per message, from its first claim on: what its sender sees. One canceled or rescheduled before that has turn 0 and no payload yet.';
comment on column messages.message_id is 'UUIDv7 given at acceptance; the identity at every hop';
comment on column messages.claimed_epoch is 'Worker epoch that holds it; set exactly while claimed or in_doubt';
comment on column messages.claimed_at is 'When it was claimed or its claim was renewed last';
comment on column messages.accepted_at is 'When the request was accepted';
comment on column messages.send_at is 'When the sender wants it to go; null = at once';
comment on column messages.expires_at is 'End of its useful time: never sent after that';
comment on column messages.sent_at is 'First proof that the provider had it, in any attempt';
comment on column messages.delivered_at is 'When its delivery was reported';
comment on column messages.estimate_micros is 'Estimated cost of one POST, in millionths of currency';
comment on column messages.client is 'Client that asked for it (clients.client_id)';
comment on column messages.turn is 'The fence: a record of another turn cannot claim it. 0 = not seen by a worker yet';
comment on column messages.shown_turn is 'Turn of the attempt whose status is shown; null = none is';
comment on column messages.error_code is 'Provider''s error code that belongs to the status, or to the latest failure while it waits';
comment on column messages.campaign_row is 'Row number within the campaign';
comment on column messages.campaign_id is 'Campaign that it belongs to';
comment on column messages.tries is 'Failures so far; a POST that provably never left us is none';
comment on column messages.rank is 'Rank of the status: within a turn it only rises';
comment on column messages.segments is 'Parts as we counted them at acceptance';
comment on column messages.status is 'Inner status; see the glossary for what senders see';
comment on column messages.class is 'otp, emergency, transactional or marketing: decides lane, useful time, tries, doubt';
comment on column messages.lane is 'Lane of its class: urgent, normal or bulk';
comment on column messages.channel is 'Kind of message';
comment on column messages.mode is 'simulate: the simulator only; listed: really sent, to listed numbers; live';
comment on column messages.sender_type is 'Kind of sender: number, messaging_service, short_code, alphanumeric';
comment on column messages.sender is 'From number, sender id or Messaging Service SID';
comment on column messages.country is 'Recipient''s country (ISO 3166)';
comment on column messages.to_hint is 'Country and last three digits of the recipient, for people';
comment on column messages.currency is 'Currency of estimate_micros (ISO 4217)';
comment on column messages.rate_note is 'default_rate: the rate card had no row for the country; no_rate: none at all; else null';
comment on column messages.reason is 'Why the status is what it is, where the word does not say it';
comment on column messages.twilio_sid is 'Provider''s id of the attempt shown';
comment on column messages.template_ref is 'Template that made the text, as id@version';
comment on column messages.reference is 'The client''s own word for it';
comment on column messages.traceparent is 'W3C trace context of the request';
comment on column messages.to_hash is 'Keyed hash of the recipient: finds a person without naming one';
comment on column messages.sealed is 'Recipient and text, AES-256-GCM; additional data is id and client';

insert into partitioned_tables (name, by_id, settings) values
    ('messages', true, 'fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05,'
     ' autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 1');
do $$ begin perform make_partitions(13); end $$;

commit;
