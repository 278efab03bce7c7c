# shellcheck shell=bash
# settings.sh: the run folder, the settings it remembers, and its secrets.

run=${SMSQ_RUN:-$tree/.run}
[[ $run == /* ]] || run=$caller_folder/$run
run=$(realpath -m "$run")

setting_names=(SMSQ_DEV_API_PORT SMSQ_DEV_RECEIVER_PORT SMSQ_DEV_SIM_PORT
    SMSQ_DEV_KAFKA_PORT SMSQ_DEV_POSTGRES_PORT SMSQ_DEV_ADMIN_PORT SMSQ_DEV_WORKERS
    SMSQ_DEV_PRESET)

declare -A setting_default=(
    [SMSQ_DEV_API_PORT]=8000 [SMSQ_DEV_RECEIVER_PORT]=8001 [SMSQ_DEV_SIM_PORT]=8002
    [SMSQ_DEV_KAFKA_PORT]=9092 [SMSQ_DEV_POSTGRES_PORT]=5433 [SMSQ_DEV_ADMIN_PORT]=9100
    [SMSQ_DEV_WORKERS]=1 [SMSQ_DEV_PRESET]=release
)
declare -A setting_help=(
    [SMSQ_DEV_API_PORT]="producer: the HTTP API"
    [SMSQ_DEV_RECEIVER_PORT]="webhook-receiver"
    [SMSQ_DEV_SIM_PORT]="simulator of Twilio"
    [SMSQ_DEV_KAFKA_PORT]="Kafka; its controller takes the next port"
    [SMSQ_DEV_POSTGRES_PORT]="PostgreSQL"
    [SMSQ_DEV_ADMIN_PORT]="health and metrics: the first of six ports"
    [SMSQ_DEV_WORKERS]="how many workers to start"
    [SMSQ_DEV_PRESET]="which build to run"
)

# What "./dev env" prints.
env_names=(SMSQ_API_URL SMSQ_RECEIVER_URL SMSQ_SIM_URL SMSQ_TOKEN SMSQ_DATABASE_URL
    SMSQ_BROKERS SMSQ_BIN SMSQ_CONFIG SMSQ_PUBLIC_URL SMSQ_ACCOUNT_SID SMSQ_AUTH_TOKEN)

declare -A setting=()

settings_help() {
    local name

    printf '  %-24s %s (%s)\n' SMSQ_RUN "folder of data, logs and pid files" ".run"
    for name in "${setting_names[@]}"; do
        printf '  %-24s %s (%s)\n' "$name" "${setting_help[$name]}" "${setting_default[$name]}"
    done
    printf '\n%s\n' "A port of 0 means any free one."
}

# settings_read fills setting[] from what the run folder remembers.
settings_read() {
    local name value

    for name in "${setting_names[@]}"; do
        setting[$name]=${!name:-${setting_default[$name]}}
    done
    [[ -r $run/settings ]] || return 0
    while IFS='=' read -r name value; do
        [[ -n ${setting_default[$name]:-} ]] && setting[$name]=$value
    done <"$run/settings"
    return 0
}

# settings_choose lets the environment change what is remembered, but not under the feet
# of a running stack; then it remembers the result. 0 takes a free port once and for all.
settings_choose() {
    local name given

    settings_read
    for name in "${setting_names[@]}"; do
        given=${!name:-}
        [[ -n $given && $given != "${setting[$name]}" ]] || continue
        [[ $given == 0 && $name == *_PORT && -e $run/settings ]] && continue
        stack_is_running && fail "$name is ${setting[$name]} in the stack that runs in" \
            "$run, and $given was asked for. Run ./dev down first."
        setting[$name]=$given
    done
    settings_check
    settings_pick_ports
    for name in "${setting_names[@]}"; do
        printf '%s=%s\n' "$name" "${setting[$name]}"
    done >"$run/settings"
}

settings_check() {
    local name value

    for name in "${setting_names[@]}"; do
        value=${setting[$name]}
        case $name in
        *_PORT) [[ $value =~ ^[0-9]{1,5}$ ]] && ((10#$value < 65530)) ;;
        *_WORKERS) [[ $value =~ ^[1-9][0-9]?$ ]] ;;
        *) [[ $value =~ ^(release|debug|asan|chaos)$ ]] ;;
        esac || fail "$name=$value makes no sense: it is \"${setting_help[$name]}\"," \
            "by default ${setting_default[$name]}."
    done
}

# The programs find a free admin port themselves. The others have to be known before, so
# a free one is taken below the range from which the kernel gives ports to clients.
settings_pick_ports() {
    local name port taken=" "

    for name in "${setting_names[@]}"; do
        [[ $name == *_PORT && $name != *_ADMIN_PORT && ${setting[$name]} == 0 ]] || continue
        until port=$((10000 + 2 * (SRANDOM % 11000))) && [[ $taken != *" $port "* ]] &&
            is_port_free "$port" && is_port_free $((port + 1)); do :; done
        setting[$name]=$port
        taken+="$port "
    done
}

is_run_folder() {
    [[ -d $run/logs && -d $run/pids ]]
}

# run_open makes the run folder. A folder with other things in it is left alone.
run_open() {
    if [[ -d $run && -n $(ls -A "$run") ]] && ! is_run_folder; then
        fail "The folder $run holds other things. Set SMSQ_RUN to a new folder."
    fi
    mkdir -p "$run/logs" "$run/pids" || fail "Cannot write to $run. Set SMSQ_RUN to a" \
        "folder that $(id -un) may write to."
    lock_run
}

# secret NAME BYTES writes a secret of this run folder, made at its first use.
secret() {
    local file=$run/secrets/$1

    if [[ ! -s $file ]]; then
        (umask 077 && mkdir -p "$run/secrets" && random_hex "$2" >"$file.new" && mv "$file.new" "$file")
    fi
    printf '%s' "$(<"$file")"
}

# database_url is the superuser's, for migrations and people; role_url ROLE a program's.
database_url() {
    printf 'postgresql://smsq:%s@127.0.0.1:%s/smsq' "$(secret database_password 16)" \
        "${setting[SMSQ_DEV_POSTGRES_PORT]}"
}

role_url() {
    printf 'postgresql://%s:%s@127.0.0.1:%s/smsq' "$1" "$(secret "password_$1" 16)" \
        "${setting[SMSQ_DEV_POSTGRES_PORT]}"
}

brokers() {
    printf '127.0.0.1:%s' "${setting[SMSQ_DEV_KAFKA_PORT]}"
}

url_of() {
    printf 'http://127.0.0.1:%s' "${setting[$1]}"
}

bin_folder() {
    printf '%s/build/%s/bin' "$tree" "${setting[SMSQ_DEV_PRESET]}"
}
