-- Verify smsq:partitions on pg

begin;

select name, by_id, settings from partitioned_tables where false;
do $$
begin
    assert first_id_of_month('1970-01-02') = '00000526-5c00-0000-0000-000000000000',
           'first_id_of_month is wrong';
    assert not has_function_privilege('public', 'make_partitions(integer)', 'execute'),
           'everybody may make partitions';
end
$$;

rollback;
