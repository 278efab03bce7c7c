# shellcheck shell=bash
# stack.sh: the whole stack: up, down, status, env, logs.

stack_up() {
    local demo=yes services_only=no option names began
    began=$(now_ms)

    for option in "$@"; do
        case $option in
        --no-demo) demo=no ;;
        --services) services_only=yes ;;
        *) fail "up knows --no-demo and --services, not \"$option\"." ;;
        esac
    done
    read_dot_env
    setup_if_missing
    run_open
    settings_choose
    if [[ $services_only == yes ]]; then
        require_free_ports postgres kafka
        services_start
        postgres_wait
        kafka_wait
        say "Kafka and PostgreSQL are up ($(seconds_since "$began") s)."
        return
    fi
    mapfile -t names < <(program_names)
    require_free_ports postgres kafka "${names[@]}"
    build "${setting[SMSQ_DEV_PRESET]}" programs
    services_start
    postgres_wait
    postgres_migrate
    postgres_roles
    kafka_wait
    programs_up "${names[@]}"
    token_make
    say "smsq is up ($(seconds_since "$began") s)."
    if [[ $demo == yes ]]; then
        story
    fi
    stack_summary
}

services_start() {
    postgres_start
    kafka_start
}

programs_up() {
    local name

    programs_configure
    say "Creating the Kafka topics that are missing, loading the rate card."
    smsq topics create >"$run/logs/topics.log" 2>&1 ||
        { cat "$run/logs/topics.log" >&2 && fail "\"smsq topics create\" failed."; }
    smsq rates load "$tree/deploy/rate_card.csv" >"$run/logs/rates.log" 2>&1 ||
        { cat "$run/logs/rates.log" >&2 && fail "\"smsq rates load\" failed."; }

    for name in "$@"; do
        program_start "$name"
    done
    # After an outage of Kafka a group forms anew once the members of before are forgotten:
    # one session time-out of 10 s, at times two or three.
    for name in "$@"; do
        wait_ready "$name" 60 program_is_ready "$name"
    done
}

# token_make has one API token made for this run folder, without a limit: benches use it.
token_make() {
    [[ -s $run/token && $(<"$run/token") == smsq_live_* ]] && return
    say "Making an API token with the scopes send_sms and view_sms_history."
    (umask 077 && smsq token create --client dev --rate 0 \
        --scope send_sms --scope view_sms_history \
        >"$run/token.new" 2>"$run/logs/token.log") ||
        { cat "$run/logs/token.log" >&2 && fail "\"smsq token create\" failed."; }
    mv "$run/token.new" "$run/token"
}

stack_summary() {
    cat <<TEXT

  API        $(url_of SMSQ_DEV_API_PORT)
  receiver   $(url_of SMSQ_DEV_RECEIVER_PORT)
  simulator  $(url_of SMSQ_DEV_SIM_PORT)
  token      $(<"$run/token")

Send one yourself:

  eval "\$(./dev env)"
  curl -s "\$SMSQ_API_URL/sms/send" -H "Authorization: Bearer \$SMSQ_TOKEN" \\
       -H 'Content-Type: application/json' -d '{"to":"+14155550123","body":"Hello"}'
TEXT
}

# started_names writes what has a pid file here, running or not.
started_names() {
    local file
    for file in "$run"/pids/*.pid; do
        [[ -e $file ]] || continue
        file=${file##*/}
        printf '%s\n' "${file%.pid}"
    done
}

stack_is_running() {
    local name
    for name in $(started_names); do
        is_running "$name" && return
    done
    return 1
}

# stack_down stops in this order: who brings work, who finishes it, what it stands on.
stack_down() {
    local wipe=no workers

    case ${1:-} in
    --wipe) wipe=yes ;;
    '') ;;
    *) fail "down knows --wipe, not \"$1\"." ;;
    esac
    if ! is_run_folder; then
        say "Nothing was started in $run."
        return
    fi
    lock_run
    if ! stack_is_running; then
        say "Nothing runs in $run."
    fi
    mapfile -t workers < <(started_names | grep '^worker' || true)
    stop_all TERM 30 producer scheduler "${workers[@]}"
    stop_all TERM 30 webhook-receiver status-consumer
    stop_all TERM 30 simulator
    stop_all TERM 30 kafka
    stop_all INT 30 postgres
    if [[ $wipe == yes ]]; then
        say "Removing $run."
        if [[ -L $run/postgres ]]; then rm -rf "$(readlink -f "$run/postgres")"; fi
        rm -rf "$run"
    fi
}

# state_of NAME sets pid, ports and state.
state_of() {
    pid='' ports='' state=stopped
    pid=$(pid_of "$1") || return 0
    ports=$(ports_of "$pid" | paste -sd' ')
    state="not ready"
    if is_ready "$1"; then
        state=running
    fi
}

stack_status() {
    local name pid ports state names json=no separator=''

    case ${1:-} in
    --json) json=yes ;;
    '') ;;
    *) fail "status knows --json, not \"$1\"." ;;
    esac
    settings_read
    mapfile -t names < <(program_names)

    [[ $json == yes ]] && printf '[' || printf '%-17s %8s  %-18s %s\n' NAME PID PORTS STATE
    for name in kafka postgres "${names[@]}"; do
        state_of "$name"
        if [[ $json == yes ]]; then
            printf '%s\n  {"name": "%s", "pid": %s, "ports": [%s], "state": "%s"}' \
                "$separator" "$name" "${pid:-null}" "${ports// /, }" "$state"
            separator=,
        else
            printf '%-17s %8s  %-18s %s\n' "$name" "${pid:--}" "${ports:--}" "$state"
        fi
    done
    [[ $json == no ]] || printf '\n]\n'
}

# stack_env prints the names of env_names (settings.sh), which no program takes over.
stack_env() {
    local name value

    stack_is_running || fail "Nothing runs in $run. Run ./dev up first."
    settings_read
    while IFS='=' read -r name value; do
        printf "export %s='%s'\n" "$name" "${value//\'/\'\\\'\'}"
    done <<TEXT
SMSQ_API_URL=$(url_of SMSQ_DEV_API_PORT)
SMSQ_RECEIVER_URL=$(url_of SMSQ_DEV_RECEIVER_PORT)
SMSQ_SIM_URL=$(url_of SMSQ_DEV_SIM_PORT)
SMSQ_TOKEN=$(cat "$run/token" 2>/dev/null || true)
SMSQ_DATABASE_URL=$(database_url)
SMSQ_BROKERS=$(brokers)
SMSQ_BIN=$(bin_folder)
SMSQ_CONFIG=$run/smsq.cfg
SMSQ_PUBLIC_URL=$(url_of SMSQ_DEV_RECEIVER_PORT)
SMSQ_ACCOUNT_SID=AC$(secret simulator_account 16)
SMSQ_AUTH_TOKEN=$(secret simulator_token 16)
TEXT
}

stack_logs() {
    local follow=() name

    if [[ ${1:-} == -f ]]; then
        follow=(-F)
        shift
    fi
    if (($#)); then
        [[ -e $run/logs/$1.log ]] || fail "There is no log of \"$1\" in $run/logs. There are:" \
            "$(find "$run/logs" -name '*.log' -printf '%f ' 2>/dev/null | sed 's/\.log / /g')"
        exec tail -n 50 "${follow[@]}" "$run/logs/$1.log"
    fi
    [[ -d $run/logs ]] || fail "There are no logs in $run. Run ./dev up first."
    exec tail -n 15 "${follow[@]}" "$run"/logs/*.log
}
