# shellcheck shell=bash
# chaos.sh: the crash bench of tests/chaos, with a build that has fail points.

chaos_command() {
    if [[ ${1:-} != -h && ${1:-} != --help ]]; then
        test_clean_environment
        setup_if_missing
        build chaos programs
    fi
    PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 tests/chaos/bench.py "$@"
}
