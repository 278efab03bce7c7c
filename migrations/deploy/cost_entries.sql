-- Deploy smsq:cost_entries to pg

begin;
set local lock_timeout = '5s';

create table cost_entries (
    message_id    uuid not null,
    created_at    timestamptz not null default now(),
    amount_micros bigint not null,
    total_micros  bigint not null,
    seq           smallint not null check (seq >= 0),
    twilio_sid    text not null,
    kind          text not null check (kind in ('estimate', 'price')),
    currency      text not null check (length(currency) = 3),
    rate_note     text,
    mode          text check (mode in ('simulate', 'listed', 'live')),
    primary key (message_id, twilio_sid, kind, seq)
) partition by range (message_id);

comment on table cost_entries is
    'The ledger: entries are added, never changed; the sum of amount_micros is what is known of the provider''s bill';
comment on column cost_entries.message_id is 'Message that it was spent on';
comment on column cost_entries.created_at is 'When the entry was made';
comment on column cost_entries.amount_micros is 'What this entry adds, in millionths of currency; may be negative';
comment on column cost_entries.total_micros is 'Sum of the entries of this twilio_sid up to this one';
comment on column cost_entries.seq is 'Number of the entry within its kind: 0 for the estimate';
comment on column cost_entries.twilio_sid is 'Provider''s id of the attempt that costs it';
comment on column cost_entries.kind is 'estimate: from the rate card; price: the provider''s word, less what stood before';
comment on column cost_entries.currency is 'Currency of the amounts (ISO 4217)';
comment on column cost_entries.rate_note is 'default_rate: the rate card had no row for the country; no_rate: none at all; else null';
comment on column cost_entries.mode is 'Mode of the message: with simulate no money was spent';

insert into partitioned_tables (name, by_id, settings) values
    ('cost_entries', true, 'autovacuum_vacuum_insert_scale_factor = 0.1');
do $$ begin perform make_partitions(13); end $$;

commit;
