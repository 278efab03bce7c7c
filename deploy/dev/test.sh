# shellcheck shell=bash
# test.sh: all tests, counted. A tool that is missing is a failure, never a skip.

passed=0
failed=0

test_command() {
    local stage=${1:-all} began
    began=$(now_ms)
    shift || true

    [[ $stage =~ ^(all|checks|unit|component|system|chaos|fuzz|analyze)$ ]] || fail "There is no" \
        "test stage \"$stage\": it is checks, unit, component, system, chaos, fuzz or analyze."
    test_clean_environment
    setup_if_missing
    case $stage in
    all) test_all ;;
    checks) test_build_alone debug programs && test_checks ;;
    unit | component) test_build debug all && test_ctest debug "$stage" "$@" ;;
    system) test_build release programs && test_system release "$@" ;;
    chaos) test_build chaos programs && test_chaos "$@" ;;
    fuzz) test_fuzz "$@" ;;
    analyze) test_build debug programs && test_analyze ;;
    esac || true
    test_total "$began"
}

# What the shell has set for a stack must not reach the tests: they start their own, and
# never with anybody's Twilio account.
test_clean_environment() {
    local name
    for name in $(compgen -e); do
        if [[ $name == SMSQ_* || $name == TWILIO_* ]]; then unset "$name"; fi
    done
    export TWILIO_TEST_MODE=true
    run=$tree/.run
}

test_all() {
    local before
    before=$(git status --porcelain 2>&1)

    if test_build asan all; then
        test_checks
        test_ctest asan unit
        test_ctest asan component
    fi
    test_fuzz
    if test_build release programs; then
        test_systems
    fi
    if test_build chaos programs; then
        test_chaos
    fi
    test_check "the work tree is as it was" test_tree_is "$before"
}

test_tree_is() {
    diff <(printf '%s\n' "$1") <(printf '%s\n' "$(git status --porcelain)")
}

test_total() {
    if ((passed + failed == 0)); then
        failed=1
    fi
    say "All stages took $(seconds_since "$1") s."
    say "$passed passed, $failed failed"
    ((failed == 0))
}

# test_check NAME COMMAND… counts one case.
test_check() {
    local what=$1 began
    began=$(now_ms)
    shift

    say "== $what"
    if "$@"; then
        passed=$((passed + 1))
        say "== ok: $what ($(seconds_since "$began") s)"
    else
        failed=$((failed + 1))
        say "== FAILED: $what ($(seconds_since "$began") s)"
        return 1
    fi
}

test_build() {
    test_check "build, preset $1, warnings are errors" test_build_alone "$@"
}

# In a shell of its own, because a build that fails ends it.
test_build_alone() {
    (build "$@" -DSMSQ_WERROR=ON)
}

test_checks() {
    test_check "format: clang-format changes nothing" check_format || true
    test_check "no banned function is called" check_banned || true
    test_check "shell scripts: shellcheck has no complaint" check_shell || true
    test_check "cppcheck has no complaint" check_cppcheck || true
    test_check "clang-tidy has no complaint" check_tidy -checks='-clang-analyzer-*' || true
}

# The analyzer of clang looks through each function's paths: minutes on two cores.
test_analyze() {
    test_check "clang's analyzer has no complaint" check_tidy -checks='-*,clang-analyzer-*' || true
}

sources() {
    git ls-files -co --exclude-standard -- '*.c' '*.h' '*.cc'
}

check_format() {
    local files
    mapfile -t files < <(sources)
    ((${#files[@]})) && clang-format-14 --dry-run -Werror "${files[@]}"
}

check_banned() {
    local files found
    local names='strcpy|strcat|strncpy|strncat|sprintf|vsprintf|strtok|atoi|atol|sscanf|gets|alloca'
    mapfile -t files < <(sources)
    ((${#files[@]})) || return 1
    found=$(grep -nE "\\b($names)[[:space:]]*\\(" "${files[@]}") || true
    [[ -z $found ]] || { say "$found" && return 1; }
}

check_shell() {
    local files
    mapfile -t files < <(git ls-files -co --exclude-standard -- 'deploy/docker/*.sh')
    command -v shellcheck >/dev/null && shellcheck -x dev .ci/run "${files[@]}"
}

code_folders=(cli common producer simulator webhook-receiver worker)

check_cppcheck() {
    local folder include=()
    for folder in "${code_folders[@]}" producer/http producer/scheduler worker/send worker/status; do
        include+=(-I "$folder")
    done
    cppcheck -q -j "$(nproc)" --enable=warning,performance,portability --inline-suppr \
        --error-exitcode=1 --std=c11 --library=posix --suppress=readdirCalled --suppress=getpwuidCalled \
        --include=/usr/include/x86_64-linux-gnu/sys/queue.h "${include[@]}" "${code_folders[@]}"
}

# check_tidy OPTION… shows only what it complains about. It reads how files are compiled.
check_tidy() {
    local log=$tree/build/tidy.log preset=debug
    [[ -e build/debug/compile_commands.json ]] || preset=asan

    if ! run-clang-tidy-14 -quiet -j "$(nproc)" -p "build/$preset" "$@" \
        "$tree/($(IFS='|' && printf '%s' "${code_folders[*]}"))/" >"$log" 2>&1; then
        sed 's/\x1b\[[0-9;]*m//g' "$log" | grep -A 3 -E '(error|warning): '
        return 1
    fi
}

# junit_totals FILE writes "PASSED FAILED". A case that was skipped or not run has failed.
junit_totals() {
    /usr/bin/python3 - "$1" <<'PYTHON'
import sys, xml.etree.ElementTree as tree
cases = [case for case in tree.parse(sys.argv[1]).iter("testcase")]
bad = [case for case in cases if case.get("status", "run") != "run" or
       any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))]
print(len(cases) - len(bad), len(bad))
PYTHON
}

# test_count STAGE FILE BEGAN adds the cases of a report to the totals.
test_count() {
    local good=0 bad=0

    [[ ! -s $2 ]] || read -r good bad < <(junit_totals "$2") || true
    if ((good + bad == 0)); then
        bad=1
        say "== Stage $1 ran no test."
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    say "== stage $1: $good passed, $bad failed ($(seconds_since "$3") s)"
}

# test_ctest PRESET STAGE [ARGUMENTS]
test_ctest() {
    local preset=$1 stage=$2 report=$tree/build/$1/$2.xml began
    began=$(now_ms)
    shift 2

    say "== stage $stage, preset $preset"
    rm -f "$report"
    ctest --test-dir "build/$preset" -L "^$stage\$" -j $((2 * $(nproc))) --timeout 300 --no-tests=error \
        --output-on-failure --output-junit "$report" "$@" </dev/null || true
    test_count "$stage" "$report" "$began"
}

# test_system PRESET [ARGUMENTS]
test_system() {
    local began
    began=$(now_ms)

    say "== stage system, preset $1"
    system_run "$@"
    test_count "system, preset $1" "build/$1/system.xml" "$began"
}

# test_systems runs the suite with both builds at the same time, because it mostly waits; what
# the sanitizers' run printed comes last. There, what runs none of our programs is left out, and
# what kills, stops and waits: component tests run the same code with sanitizers. What sends
# bytes and looks at the answers runs with sanitizers only.
test_systems() {
    local began log=build/asan/system.log
    began=$(now_ms)

    say "== stage system, presets release and asan"
    system_run asan -k "$(all_but deploy dev documents breaker frozen journal outages crash)" \
        >"$log" 2>&1 &
    system_run release -k "$(all_but simulator http_guard refusals garbage inbound idempotency)"
    wait $!
    test_count "system, preset release" build/release/system.xml "$began"
    tail -n 400 "$log"
    test_count "system, preset asan" build/asan/system.xml "$began"
}

# all_but NAME… writes an expression for pytest -k.
all_but() {
    local names
    names=$(printf ' and not test_%s' "$@")
    printf '%s' "${names# and }"
}

# system_run PRESET [ARGUMENTS] leaves a report in build/PRESET/system.xml. An argument that
# is a file, or FILE::TEST, takes the place of the whole folder.
system_run() {
    local preset=$1 report=$tree/build/$1/system.xml folder=(tests/system) argument
    shift

    for argument; do
        if [[ -e ${argument%%::*} ]]; then
            folder=()
        fi
    done

    rm -f "$report"
    PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -p no:cacheprovider \
        --junitxml="$report" --preset="$preset" "${folder[@]}" "$@" </dev/null || true
}

# test_chaos [ARGUMENTS]: a short run of the crash bench, its judge, and builds it must catch.
test_chaos() {
    local began report=$tree/build/chaos/chaos.xml
    began=$(now_ms)

    say "== stage chaos"
    rm -f "$report"
    PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -p no:cacheprovider \
        --junitxml="$report" tests/chaos "$@" </dev/null || true
    test_count chaos "$report" "$began"
}

# test_fuzz [SECONDS] gives each parser the kept inputs, and new ones for so long.
test_fuzz() {
    local source name jobs=()

    test_check "build the fuzzers" fuzz_build || return 0
    for source in tests/fuzz/fuzz_*.c; do
        name=$(basename "$source" .c)
        fuzz_run "$name" "${1:-7}" >"build/fuzz/$name.log" 2>&1 &
        jobs+=("$! $name")
        ((${#jobs[@]} < $(nproc))) || { fuzz_wait "${jobs[0]}" && jobs=("${jobs[@]:1}"); }
    done
    for name in "${jobs[@]}"; do
        fuzz_wait "$name"
    done
}

fuzz_build() {
    mkdir -p build/fuzz
    (exec 8>build/lock && flock 8 &&
        build_step fuzz cmake --preset fuzz -DSMSQ_WERROR=OFF &&
        build_step fuzz cmake --build --preset fuzz --target fuzzers)
}

fuzz_run() {
    local found=build/fuzz/corpus/$1
    mkdir -p "$found"
    "build/fuzz/bin/$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/$1-" "$found" "tests/fuzz/corpus/${1#fuzz_}"
}

# fuzz_wait "PID NAME" counts one fuzzer. An input that broke it is kept.
fuzz_wait() {
    local pid=${1% *} name=${1#* }
    test_check "$name: $(fuzz_advice "$name")" fuzz_ended "$pid" "$name" || true
}

fuzz_advice() {
    printf 'no input breaks it (build/fuzz/bin/%s FILE tries one)' "$1"
}

fuzz_ended() {
    wait "$1" || { tail -n 40 "build/fuzz/$2.log" && return 1; }
    sed -n 's/^stat::number_of_executed_units: */inputs: /p' "build/fuzz/$2.log"
}
