# shellcheck shell=bash
# postgres.sh: a private PostgreSQL cluster in the run folder, on loopback only.

postgres_bin=/usr/lib/postgresql/15/bin

# Durable as in production (fsync, synchronous_commit); sized for a developer's machine.
postgres_options=(-c fsync=on -c synchronous_commit=on -c shared_buffers=1GB
    -c max_wal_size=4GB -c max_connections=200 -c listen_addresses=127.0.0.1
    -c unix_socket_directories= -c timezone=UTC -c "log_line_prefix=%m [%p] ")

# PostgreSQL refuses to run as root; then it runs as the system user of its package.
as_postgres() {
    if is_root; then
        (cd / && setpriv --reuid=postgres --regid=postgres --init-groups --reset-env "$@")
    else
        "$@"
    fi
}

# postgres_folder writes where the cluster is. If root's run folder is closed to the user
# postgres (a tree under /root, for example), the cluster is beside it in /var/tmp.
postgres_folder() {
    local link=$run/postgres real

    if [[ ! -e $link ]]; then
        if is_root && ! as_postgres test -x "$run"; then
            real=$(mktemp -d /var/tmp/smsq-postgres-XXXXXXXX)
            ln -sfn "$real" "$link"
        else
            mkdir "$link"
        fi
        if is_root; then chown postgres: "$link/"; fi
        chmod 700 "$link/"
    fi
    readlink -f "$link"
}

postgres_init() {
    local folder=$1 password=$1/password

    [[ ! -d $folder/data ]] || return 0
    say "Making a PostgreSQL cluster in $folder."
    rm -rf "$folder/data.new"
    (umask 077 && secret database_password 16 >"$password")
    if is_root; then chown postgres: "$password"; fi
    as_postgres "$postgres_bin/initdb" -D "$folder/data.new" -U smsq --pwfile="$password" \
        --auth=scram-sha-256 -E UTF8 --locale=C.UTF-8 >"$run/logs/initdb.log" 2>&1 ||
        { cat "$run/logs/initdb.log" >&2 && fail "initdb failed; its message stands above."; }
    mv "$folder/data.new" "$folder/data"
    rm -f "$password"
}

# After a kill -9 of the postmaster its children end by themselves. Once none is left in
# the folder, a pid file can only mislead: the number may belong to another process now.
postgres_bury() {
    local data=$1/data deadline=$((SECONDS + 30))

    while [[ -n $(find /proc/[0-9]*/cwd -maxdepth 0 -lname "$data" 2>/dev/null) ]]; do
        ((SECONDS < deadline)) || fail "Another PostgreSQL is at work in $data: stop it first."
        sleep 0.1
    done
    rm -f "$data/postmaster.pid"
}

postgres_start() {
    local folder port=${setting[SMSQ_DEV_POSTGRES_PORT]} runner=()

    if is_running postgres; then
        say "postgres runs already (pid $(pid_of postgres))."
        return
    fi
    folder=$(postgres_folder)
    postgres_init "$folder"
    postgres_bury "$folder"
    say "Starting postgres on port $port."
    if is_root; then
        runner=(setpriv --reuid=postgres --regid=postgres --init-groups --reset-env)
    fi
    launch postgres "${runner[@]}" "$postgres_bin/postgres" -D "$folder/data" -p "$port" \
        "${postgres_options[@]}"
}

postgres_is_ready() {
    "$postgres_bin/pg_isready" -q -h 127.0.0.1 -p "${setting[SMSQ_DEV_POSTGRES_PORT]}" -t 2
}

postgres_wait() {
    local maintenance

    wait_ready postgres 60 postgres_is_ready
    maintenance=$(database_url)
    maintenance=${maintenance%/*}/postgres
    [[ -n $(psql -XqtA -d "$maintenance" \
        -c "select 1 from pg_database where datname = 'smsq'") ]] ||
        psql -Xq -d "$maintenance" -c 'create database smsq'
}

postgres_migrate() {
    local url
    url=$(database_url)

    [[ -e migrations/sqitch.plan ]] || fail "migrations/sqitch.plan is missing: this tree is" \
        "not complete."
    say "Bringing the database to the newest migration."
    (cd migrations &&
        SQITCH_FULLNAME=smsq SQITCH_EMAIL=smsq@localhost sqitch deploy --verify \
            "db:pg:${url#postgresql:}") >"$run/logs/sqitch.log" 2>&1 9>&- ||
        { cat "$run/logs/sqitch.log" >&2 && fail "sqitch could not deploy the migrations;" \
            "its message stands above."; }
}

# postgres_roles lets each program log in as the role that the migrations made for it. The
# statements hold passwords: they come by a pipe, never by argv.
postgres_roles() {
    local role

    for role in "${program_role[@]}" smsq_admin; do
        printf "alter role %s login password '%s';\n" "$role" "$(secret "password_$role" 16)"
        (umask 077 && role_url "$role" >"$run/secrets/url_$role")
    done | psql -Xq -v ON_ERROR_STOP=1 -d "$(database_url)" ||
        fail "The database roles of the programs could not be set up."
}

postgres_shell() {
    settings_read
    is_running postgres || fail "PostgreSQL does not run in $run. Run ./dev up first."
    exec psql -d "$(database_url)" "$@"
}
