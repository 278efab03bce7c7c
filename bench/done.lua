-- done.lua: lets a script of wrk end with one line of JSON; alone it is a plain GET.
function done(summary, latency, requests)
    local errors = summary.errors
    local wrong = errors.status + errors.connect + errors.read + errors.write + errors.timeout
    io.write(string.format(
        '{"requests": %d, "rate": %.1f, "errors": %d, "times": '
            .. '{"p50_ms": %.3f, "p95_ms": %.3f, "p99_ms": %.3f}}\n',
        summary.requests, summary.requests * 1e6 / summary.duration, wrong,
        latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
        latency:percentile(99) / 1e3))
end
