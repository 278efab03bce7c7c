# shellcheck shell=bash
# base.sh: sentences, clocks, and processes that are known by pid and start time.

say() {
    printf '%s\n' "$*"
}

fail() {
    printf 'dev: %s\n' "$*" >&2
    exit 1
}

# now_ms is the wall clock in milliseconds.
now_ms() {
    local micros=${EPOCHREALTIME/[.,]/}
    printf '%s' "${micros%???}"
}

# seconds_since START_MS writes how long ago that was: "1.3".
seconds_since() {
    local ms=$(($(now_ms) - $1))
    printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

random_hex() {
    od -An -v -tx1 -N"$1" /dev/urandom | tr -d ' \n'
}

is_root() {
    ((EUID == 0))
}

# process_start PID writes the kernel's start time of a process. It fails when there is
# none, or only a zombie that nobody has buried yet.
process_start() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    read -ra stat <<<"${stat##*) }"
    [[ ${stat[0]} != [ZX] ]] || return 1
    printf '%s' "${stat[19]}"
}

# A pid file holds "PID START BOOT", so that a later process with the same number is not
# taken for ours. pid_of NAME writes the pid, or fails if that process is gone.
pid_of() {
    local pid start boot
    { read -r pid start boot <"$run/pids/$1.pid"; } 2>/dev/null || return 1
    [[ $boot == "$(</proc/sys/kernel/random/boot_id)" ]] || return 1
    [[ $(process_start "$pid") == "$start" ]] || return 1
    printf '%s' "$pid"
}

is_running() {
    pid_of "$1" >/dev/null
}

pid_file_write() {
    printf '%s %s %s\n' "$2" "$(process_start "$2")" \
        "$(</proc/sys/kernel/random/boot_id)" >"$run/pids/$1.pid"
}

# launch NAME COMMAND… starts a program in its own session, its output in the log. The
# names that "./dev env" prints belong to whatever stack the shell last looked at, PORT to
# anybody: a program must not take them for its settings. Descriptor 9 is our lock.
declare -A launched_ms=()
launch() {
    local name=$1 clean=("--default-signal=INT,QUIT" -u PORT) variable
    shift

    for variable in "${env_names[@]}"; do
        clean+=(-u "$variable")
    done
    launched_ms[$name]=$(now_ms)
    rm -f "$run/pids/$name.pid"
    (
        pid_file_write "$name" "$BASHPID"
        exec setsid env "${clean[@]}" "$@"
    ) </dev/null >>"$run/logs/$name.log" 2>&1 9>&- &
    until [[ -s $run/pids/$name.pid ]]; do
        sleep 0.01
    done
}

# stop_all SIGNAL SECONDS NAME… ends these programs together: politely first.
stop_all() {
    local signal=$1 deadline=$((SECONDS + $2)) limit=$2 name pid
    shift 2

    for name in "$@"; do
        pid=$(pid_of "$name") || continue
        say "Stopping $name (pid $pid)."
        kill "-$signal" "$pid" 2>/dev/null || true
    done
    for name in "$@"; do
        while is_running "$name" && ((SECONDS < deadline)); do
            sleep 0.05
        done
        if pid=$(pid_of "$name"); then
            say "$name did not stop within $limit s: killing it (pid $pid)."
            kill -KILL "$pid" 2>/dev/null || true
            while is_running "$name"; do sleep 0.05; done
        fi
        rm -f "$run/pids/$name.pid"
    done
}

# wait_ready NAME SECONDS CHECK… waits until CHECK succeeds; otherwise it tells why not.
wait_ready() {
    local name=$1 limit=$2 deadline=$((SECONDS + $2)) began=${launched_ms[$1]:-}
    shift 2

    until "$@" >/dev/null 2>&1; do
        is_running "$name" || give_up "$name" "ended before it was ready"
        ((SECONDS < deadline)) || give_up "$name" "is not ready after $limit s"
        sleep 0.1
    done
    [[ -z $began ]] || say "$name is ready ($(seconds_since "$began") s)."
}

give_up() {
    local name=$1 what=$2 answer

    answer=$(ready_answer "$name") || true
    {
        printf '\nThe last lines of %s:\n' "$run/logs/$name.log"
        tail -n 15 "$run/logs/$name.log" || true
        printf '\n'
    } >&2
    fail "$name $what.${answer:+ It says: $answer.} Its log above should tell the reason;" \
        "\"./dev logs $name\" shows more. When that is mended, run ./dev up again:" \
        "it starts what is missing."
}

# ports_of PID writes the TCP ports on which a process listens, one a line.
ports_of() {
    ss -Hltnp | awk -v mark="pid=$1," \
        'index($0, mark) { n = split($4, part, ":"); print part[n] }' | sort -nu
}

is_port_free() {
    [[ -z $(ss -Hltn "sport = :$1") ]]
}

# port_complaint PORT SETTING NAME writes a sentence if somebody listens there.
port_complaint() {
    local port=$1 setting=$2 name=$3 line holder="a program that this user cannot see"

    ((port)) || return 0
    line=$(ss -Hltnp "sport = :$port")
    [[ -n $line ]] || return 0
    if [[ $line =~ \(\(\"([^\"]*)\",pid=([0-9]+) ]]; then
        holder="${BASH_REMATCH[1]} (pid ${BASH_REMATCH[2]})"
    fi
    printf 'Port %s, meant for %s, is in use by %s. %s sets another one.\n' \
        "$port" "$name" "$holder" "$setting"
}

# lock_run lets one command at a time change this run folder.
lock_run() {
    exec 9>"$run/lock"
    flock -n 9 && return
    say "Waiting: another ./dev is at work in $run."
    flock 9
}
