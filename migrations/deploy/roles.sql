-- Deploy smsq:roles to pg
-- A role per program, with the rights it uses and no more. They cannot log in until the
-- operator gives them a password: alter role smsq_worker login password '…'. Roles belong
-- to the whole server: those that are there already, for another database, are taken.
-- Everything in schema public belongs to smsq_owner; later changes begin with
-- "set local role smsq_owner", so that what they make does too.

begin;
set local lock_timeout = '5s';

do $$
declare
    programs constant text[] := array['smsq_producer', 'smsq_worker', 'smsq_status',
                                      'smsq_scheduler', 'smsq_admin', 'smsq_analyst'];
    name text;
begin
    foreach name in array array_append(programs, 'smsq_owner') loop
        if not exists (select from pg_roles where rolname = name) then
            execute format('create role %I nologin', name);
        end if;
    end loop;
    execute format('grant smsq_owner to %I', current_user);

    execute format('revoke all on database %I from public', current_database());
    foreach name in array programs loop
        execute format('grant connect on database %I to %I', current_database(), name);
        execute format('grant usage on schema public to %I', name);
        execute format('alter role %I in database %I set search_path = public, pg_temp',
                       name, current_database());
    end loop;
end
$$;
revoke all on schema public from public;
grant usage, create on schema public to smsq_owner;

do $$
declare
    made record;
begin
    for made in select c.oid::regclass as name from pg_class c
                 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') loop
        execute format('alter table %s owner to smsq_owner', made.name);
    end loop;
    for made in select p.oid::regprocedure as name from pg_proc p
                 where p.pronamespace = 'public'::regnamespace loop
        execute format('alter function %s owner to smsq_owner', made.name);
    end loop;
end
$$;

set local role smsq_owner;
revoke all on all tables in schema public from public;
alter default privileges in schema public revoke all on tables from public;
alter default privileges revoke execute on functions from public;
revoke execute on all functions in schema public from public;

-- smsq-producer: tokens, the rate card, what became of a message.
grant select on messages, attempts, cost_entries, delayed, rate_card, clients, api_tokens
   to smsq_producer;

-- smsq-worker: claims, results, the ledger's first entries. Entries are only added.
grant select, insert, update on messages, attempts, workers to smsq_worker;
grant select, insert on delayed to smsq_worker;
grant insert on cost_entries to smsq_worker;

-- smsq-status-consumer: receipts, and what they raise.
grant select, insert on receipts to smsq_status;
grant select, insert, update, delete on receipts_unmatched to smsq_status;
grant select, insert, update on attempts to smsq_status;
grant select on messages to smsq_status;
grant update (status, rank, shown_turn, claimed_epoch, twilio_sid, error_code, reason,
              sent_at, delivered_at) on messages to smsq_status;
grant insert on cost_entries to smsq_status;

-- smsq-scheduler: what falls due.
grant select on messages to smsq_scheduler;
grant select, delete on delayed to smsq_scheduler;

-- smsq, the command line of operators. A token's hash goes in and never comes out.
grant select, insert on clients to smsq_admin;
grant select (token_id, client_id, shown_prefix, scopes, created_at, expires_at,
              revoked_at), insert, update (revoked_at)
   on api_tokens to smsq_admin;
grant select, insert, update on rate_card to smsq_admin;
grant execute on function make_partitions(integer), first_id_of_month(date) to smsq_admin;

-- People who count. No text, no number, no keyed hash of one, no token.
grant select (message_id, claimed_at, accepted_at, send_at, expires_at, sent_at,
              delivered_at, estimate_micros, client, turn, shown_turn, error_code,
              campaign_row, campaign_id, tries, rank, segments, status, class, lane,
              channel, mode, sender_type, sender, country, currency, rate_note, reason,
              twilio_sid, template_ref)
   on messages to smsq_analyst;
grant select (recorded_at, off, part, turn, message_id, received_at, error_code, rank,
              twilio_sid, word)
   on receipts to smsq_analyst;
grant select on attempts, cost_entries, clients, rate_card, workers to smsq_analyst;
grant select on delayed to smsq_analyst;
reset role;

do $$
begin
    execute format('alter role smsq_analyst in database %I set statement_timeout = ''60s''',
                   current_database());
    execute format('alter role smsq_analyst in database %I'
                   ' set default_transaction_read_only = on', current_database());
end
$$;

commit;
