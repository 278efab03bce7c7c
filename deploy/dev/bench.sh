# shellcheck shell=bash
# bench.sh: measurements of the release build, against a stack of their own.

# bench_command [NAME...] [OPTION...]: bench/bench.py tells what there is. The stack stands in
# .run-bench, or where SMSQ_RUN says, and goes away in the end.
bench_command() {
    [[ -n ${SMSQ_RUN:-} ]] || run=$tree/.run-bench
    [[ " $* " == *" --help "* || " $* " == *" -h "* ]] || build release programs >&2
    SMSQ_RUN=$run PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 bench/bench.py "$@"
}
