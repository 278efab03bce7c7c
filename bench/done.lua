-- done.lua: lets a script of wrk end with one line of JSON; alone it is a plain GET.
local function ms(latency, part)
    local us = latency:percentile(part)
    return us == us and us / 1e3 or 0 -- not a number while nothing was answered
end

function done(summary, latency, requests)
    local errors = summary.errors
    local wrong = errors.status + errors.connect + errors.read + errors.write + errors.timeout
    io.write(string.format(
        '{"requests": %d, "rate": %.1f, "errors": %d, "times": '
            .. '{"p50_ms": %.3f, "p95_ms": %.3f, "p99_ms": %.3f}}\n',
        summary.requests, summary.requests * 1e6 / summary.duration, wrong,
        ms(latency, 50), ms(latency, 95), ms(latency, 99)))
end
