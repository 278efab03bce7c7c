-- Deploy smsq:partitions to pg
-- Monthly partitions of the large tables. Their owner makes them, through a function that
-- a program may call without owning anything.

begin;
set local lock_timeout = '5s';

create function first_id_of_month(month date) returns uuid
    language sql immutable strict parallel safe
    set search_path = pg_catalog, pg_temp
as $$
    select rpad(lpad(to_hex((extract(epoch from month::timestamp) * 1000)::bigint), 12, '0'),
                32, '0')::uuid
$$;
comment on function first_id_of_month(date) is
    'Smallest UUID whose first 48 bits, the milliseconds of a UUIDv7, are the first of this month in UTC';

create table partitioned_tables (
    name     text primary key,
    by_id    boolean not null,
    settings text not null
);
comment on table partitioned_tables is
    'Tables with one partition per month, as make_partitions makes them';
comment on column partitioned_tables.name is 'Table in schema public';
comment on column partitioned_tables.by_id is
    'true: ranges of UUIDv7 ids; false: ranges of a time';
comment on column partitioned_tables.settings is
    'Storage settings of each partition, as inside WITH (...)';

-- CREATE and ATTACH, because CREATE ... PARTITION OF would lock readers out. The check
-- constraints and the comments come along by LIKE, the indexes by ATTACH.
create function make_partition(parent partitioned_tables, month date) returns text
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    next_month date := (month + interval '1 month')::date;
    child text := format('%s_%s', parent.name, to_char(month, 'YYYY_MM'));
    bounds text := case when parent.by_id
        then format('from (%L) to (%L)', public.first_id_of_month(month),
                    public.first_id_of_month(next_month))
        else format('from (%L) to (%L)', month::timestamp at time zone 'UTC',
                    next_month::timestamp at time zone 'UTC') end;
begin
    if to_regclass(format('public.%I', child)) is not null then
        return null;
    end if;
    execute format('create table public.%I (like public.%I including defaults'
                   ' including constraints including storage including comments)'
                   ' with (%s)', child, parent.name, parent.settings);
    execute format('alter table public.%I attach partition public.%I for values %s',
                   parent.name, child, bounds);
    return child;
end
$$;
comment on function make_partition(partitioned_tables, date) is
    'Makes the partition of that month unless it is there; returns its name if made';
revoke execute on function make_partition(partitioned_tables, date) from public;

create function make_partitions(months_ahead integer) returns setof text
    language sql security definer
    set search_path = pg_catalog, pg_temp
    set lock_timeout = '5s'
as $$
    -- One caller at a time.
    lock table public.partitioned_tables in share row exclusive mode;
    select made
      from public.partitioned_tables p
     cross join generate_series(-1, months_ahead) as n
     cross join lateral public.make_partition(p,
               (date_trunc('month', now() at time zone 'UTC')
                + make_interval(months => n))::date) as made
     where made is not null
$$;
comment on function make_partitions(integer) is
    'Makes all missing partitions from last month to months_ahead from now; returns the names of those it made. To be called monthly.';
revoke execute on function make_partitions(integer) from public;

commit;
