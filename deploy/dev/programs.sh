# shellcheck shell=bash
# programs.sh: smsq's own programs: their settings file, start, readiness.

declare -A program_binary=(
    [simulator]=smsq-twilio-simulator [webhook-receiver]=smsq-webhook-receiver
    [status-consumer]=smsq-status-consumer [worker]=smsq-worker [producer]=smsq-producer
    [scheduler]=smsq-scheduler
)
declare -A program_port=(
    [simulator]=SMSQ_DEV_SIM_PORT [webhook-receiver]=SMSQ_DEV_RECEIVER_PORT
    [producer]=SMSQ_DEV_API_PORT
)
declare -A program_admin_offset=(
    [producer]=0 [webhook-receiver]=1 [worker]=2 [status-consumer]=3 [scheduler]=5
)

# The database role of each program that has a database; smsq itself has smsq_admin.
declare -A program_role=(
    [status-consumer]=smsq_status [worker]=smsq_worker [producer]=smsq_producer
    [scheduler]=smsq_scheduler
)

# program_names writes them in the order of a start: who is called before who calls.
program_names() {
    local i
    printf '%s\n' simulator webhook-receiver status-consumer
    if ((setting[SMSQ_DEV_WORKERS] == 1)); then
        printf 'worker\n'
    else
        for ((i = 1; i <= setting[SMSQ_DEV_WORKERS]; i++)); do
            printf 'worker-%d\n' "$i"
        done
    fi
    printf '%s\n' producer scheduler
}

# kind_of NAME: worker-2 is a worker.
kind_of() {
    [[ $1 == worker-* ]] && set -- worker
    printf '%s' "$1"
}

# admin_port NAME writes the configured port of /readyz; 0 = the program finds a free one.
admin_port() {
    local base=${setting[SMSQ_DEV_ADMIN_PORT]}

    if ((base == 0)) || [[ $1 == worker-* ]]; then
        printf '0'
    else
        printf '%d' $((base + program_admin_offset[$1]))
    fi
}

# programs_configure writes the one settings file that all programs read.
programs_configure() {
    (umask 077 && programs_settings >"$run/smsq.cfg.new")
    mv "$run/smsq.cfg.new" "$run/smsq.cfg"
}

programs_settings() {
    cat <<TEXT
// Written by ./dev up for this run folder; the programs take SMSQ_… names and flags too.
kafka: { brokers = "$(brokers)"; };
database: { url = "$(role_url smsq_admin)"; };
keys: { lookup = "$(secret lookup_key 32)"; seal = "1:$(secret seal_key 32)"; };
public: { url = "$(url_of SMSQ_DEV_RECEIVER_PORT)"; };
process: { hide_memory = false; }; // debuggers, and ./dev itself, look at the programs
simulator: {
  url = "$(url_of SMSQ_DEV_SIM_PORT)";
  port = ${setting[SMSQ_DEV_SIM_PORT]};
  account_sid = "AC$(secret simulator_account 16)";
  auth_token = "$(secret simulator_token 16)";
  rates_file = "$tree/deploy/rate_card.csv";
};
producer: { port = ${setting[SMSQ_DEV_API_PORT]}; admin_port = $(admin_port producer); };
receiver: { port = ${setting[SMSQ_DEV_RECEIVER_PORT]}; admin_port = $(admin_port webhook-receiver); };
worker: { admin_port = $(admin_port worker); state_dir = "$run/state"; };
status: { admin_port = $(admin_port status-consumer); };
scheduler: { admin_port = $(admin_port scheduler); };
TEXT
}

# read_dot_env exports what the file .env of the tree sets (NAME=value lines), such as
# Twilio's credentials; what the environment sets already stays. It reads the lines as the
# programs read an --env-file: comments, quotes, Windows line ends.
read_dot_env() {
    local line name value file=${1:-.env}
    local assignment='^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)[[:space:]]*=[[:space:]]*(.*)$'
    local quoted="^(\"([^\"]*)\"|'([^']*)')[[:space:]]*(#.*)?\$"

    [[ -r $file ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        [[ ${line%$'\r'} =~ $assignment ]] || continue
        name=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]}
        if [[ $value =~ $quoted ]]; then
            value=${BASH_REMATCH[2]}${BASH_REMATCH[3]}
        else
            value=" $value"
            value=${value%%[[:space:]]#*}
            value=${value# }
            value=${value%"${value##*[![:space:]]}"}
        fi
        [[ -v $name ]] || export "$name=$value"
    done <"$file"
}

# smsq COMMAND… runs the command-line program against this stack.
smsq() {
    local variable clean=()
    for variable in "${env_names[@]}"; do
        clean+=(-u "$variable")
    done
    env "${clean[@]}" SMSQ_CONFIG="$run/smsq.cfg" SMSQ_API_URL="$(url_of SMSQ_DEV_API_PORT)" \
        SMSQ_TOKEN="$(cat "$run/token" 2>/dev/null || true)" "$(bin_folder)/smsq" "$@" 9>&-
}

program_start() {
    local name=$1 kind binary flags=(--config="$run/smsq.cfg") pid environment=()
    kind=$(kind_of "$name")
    [[ -z ${program_role[$kind]:-} ]] ||
        environment=(env SMSQ_DATABASE_URL_FILE="$run/secrets/url_${program_role[$kind]}")
    binary=$(bin_folder)/${program_binary[$kind]}

    [[ -x $binary ]] || fail "$binary is missing, although the build went well: this tree" \
        "is not complete."
    if pid=$(pid_of "$name"); then
        if [[ /proc/$pid/exe -ef $binary ]]; then
            say "$name runs already (pid $pid)."
            return
        fi
        say "$name runs from an older build."
        stop_all TERM 30 "$name"
    fi
    [[ $name == worker-* ]] && flags+=(--worker.admin_port=0)
    say "Starting $name."
    launch "$name" "${environment[@]}" "$binary" "${flags[@]}"
}

# port_complaints NAME writes a sentence for each port of it that somebody else holds.
port_complaints() {
    local kind main
    kind=$(kind_of "$1")
    main=${program_port[$kind]:-}

    case $1 in
    postgres) port_complaint "${setting[SMSQ_DEV_POSTGRES_PORT]}" SMSQ_DEV_POSTGRES_PORT "$1" ;;
    kafka)
        port_complaint "${setting[SMSQ_DEV_KAFKA_PORT]}" SMSQ_DEV_KAFKA_PORT "$1"
        port_complaint $((setting[SMSQ_DEV_KAFKA_PORT] + 1)) SMSQ_DEV_KAFKA_PORT \
            "kafka's controller"
        ;;
    *)
        [[ -z $main ]] || port_complaint "${setting[$main]}" "$main" "$1"
        [[ -z ${program_admin_offset[$kind]:-} ]] ||
            port_complaint "$(admin_port "$1")" SMSQ_DEV_ADMIN_PORT "$1's health"
        ;;
    esac
}

# require_free_ports NAME… names every port in use at once, before anything is started.
require_free_ports() {
    local name complaints

    complaints=$(for name in "$@"; do
        is_running "$name" || port_complaints "$name"
    done)
    [[ -z $complaints ]] || fail "Some ports are taken; nothing was started.
$complaints
Stop those programs, or set other ports; 0 takes any free one, for example:
SMSQ_DEV_API_PORT=0 ./dev up"
}

# ready_url NAME writes where to ask whether a program is ready. The simulator is asked at
# its main port; an admin port that a program chose itself is read from the kernel.
ready_url() {
    local name=$1 port main
    if [[ $name == simulator ]]; then
        printf '%s/healthz' "$(url_of SMSQ_DEV_SIM_PORT)"
        return
    fi
    [[ -n ${program_binary[$(kind_of "$name")]:-} ]] || return 1
    port=$(admin_port "$name")
    if ((port == 0)); then
        main=${program_port[$(kind_of "$name")]:-}
        port=$(ports_of "$(pid_of "$name")" | grep -vx "${main:+${setting[$main]}}" | head -n 1)
    fi
    printf 'http://127.0.0.1:%s/readyz' "$port"
}

ready_answer() {
    curl -sS -m 2 "$(ready_url "$1")" 2>/dev/null | head -c 600
}

program_is_ready() {
    curl -fsS -m 2 -o /dev/null "$(ready_url "$1")" 2>/dev/null
}

is_ready() {
    case $1 in
    kafka) kafka_is_ready ;;
    postgres) postgres_is_ready ;;
    *) program_is_ready "$1" ;;
    esac
}
