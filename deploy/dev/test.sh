# shellcheck shell=bash
# test.sh: all tests, counted. A tool that is missing is a failure, never a skip.

passed=0
failed=0

test_command() {
    local stage=${1:-all} began
    began=$(now_ms)
    shift || true

    [[ $stage =~ ^(all|checks|unit|component|system)$ ]] || fail "There is no test stage" \
        "\"$stage\": it is checks, unit, component or system."
    test_clean_environment
    setup_if_missing
    case $stage in
    all) test_all ;;
    checks) test_checks ;;
    unit | component) test_build debug all && test_ctest "$stage" "$@" ;;
    system) test_build release programs && test_system "$@" ;;
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

    if test_build debug all; then
        test_checks
        test_ctest unit
        test_ctest component
    fi
    if test_build release programs; then
        test_system
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
    command -v shellcheck >/dev/null && shellcheck -x dev .ci/run
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

test_ctest() {
    local stage=$1 report=$tree/build/debug/$1.xml began
    began=$(now_ms)
    shift

    say "== stage $stage"
    rm -f "$report"
    ctest --test-dir build/debug -L "^$stage\$" -j "$(nproc)" --timeout 300 --no-tests=error \
        --output-on-failure --output-junit "$report" "$@" </dev/null || true
    test_count "$stage" "$report" "$began"
}

test_system() {
    local report=$tree/build/release/system.xml began
    began=$(now_ms)

    say "== stage system"
    rm -f "$report"
    PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -p no:cacheprovider \
        --junitxml="$report" tests/system "$@" </dev/null || true
    test_count system "$report" "$began"
}
