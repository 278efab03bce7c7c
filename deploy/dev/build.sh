# shellcheck shell=bash
# build.sh: CMake and Ninja, one build at a time.

build_command() {
    local preset=${1:-${SMSQ_DEV_PRESET:-release}}

    [[ $preset =~ ^(release|debug|asan|chaos)$ ]] || fail "There is no preset \"$preset\": it is" \
        "release, debug, asan or chaos."
    build "$preset" all
}

# build PRESET all|programs [CMAKE_FLAG…]: all is the programs and the tests.
build() {
    local preset=$1 targets=(all) began
    began=$(now_ms)
    [[ $2 == all ]] || targets=(smsq "${program_binary[@]}")
    shift 2

    command -v cmake >/dev/null || fail "cmake is missing. Run ./dev setup."
    mkdir -p "build/$preset"
    exec 8>build/lock
    flock 8
    say "Building smsq, preset $preset."
    if (($#)) || [[ ! -e build/$preset/build.ninja ]]; then
        build_step "$preset" cmake --preset "$preset" "$@"
    fi
    build_step "$preset" cmake --build --preset "$preset" --target "${targets[@]}"
    exec 8>&-
    say "Built in $(seconds_since "$began") s: build/$preset/bin."
}

# build_step shows progress to a person; in a pipe, only the output of a failure.
build_step() {
    local log=build/$1/build.log
    shift

    if [[ -t 1 ]]; then
        "$@" 8>&- || fail "The build failed; the compiler's message stands above."
    elif ! "$@" >"$log" 2>&1 8>&-; then
        tail -n 60 "$log" >&2
        fail "The build failed; the whole output is in $log."
    fi
}
