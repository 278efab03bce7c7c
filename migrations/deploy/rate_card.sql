-- Deploy smsq:rate_card to pg

begin;
set local lock_timeout = '5s';

create table rate_card (
    country            text not null check (country = '*' or country ~ '^[A-Z]{2}$'),
    sender_type        text not null check (sender_type in (
        'number', 'messaging_service', 'short_code', 'alphanumeric')),
    channel            text not null check (channel in ('sms')),
    direction          text not null check (direction in ('outbound', 'inbound')),
    price_micros       bigint not null check (price_micros >= 0),
    carrier_fee_micros bigint not null check (carrier_fee_micros >= 0),
    currency           text not null check (currency ~ '^[A-Z]{3}$'),
    source             text not null,
    as_of              date not null,
    loaded_at          timestamptz not null default now(),
    primary key (country, sender_type, channel, direction)
);

comment on table rate_card is
    'What a segment costs, for estimates; loaded by: smsq rates load FILE';
comment on column rate_card.country is 'Recipient''s country (ISO 3166); * = every country without a row';
comment on column rate_card.sender_type is 'Kind of sender: number, messaging_service, short_code, alphanumeric';
comment on column rate_card.channel is 'Kind of message';
comment on column rate_card.direction is 'outbound: from us; inbound: to us';
comment on column rate_card.price_micros is 'Price per segment, in millionths of currency';
comment on column rate_card.carrier_fee_micros is 'Carrier''s fee per segment on top, in millionths of currency';
comment on column rate_card.currency is 'Currency of both (ISO 4217)';
comment on column rate_card.source is 'Where the figures come from';
comment on column rate_card.as_of is 'Day on which the source said so';
comment on column rate_card.loaded_at is 'When the row was loaded last';

commit;
