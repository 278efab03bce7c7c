-- send.lua: for wrk: POST /sms/send with a different recipient each time. The token comes
-- from the environment (SMSQ_TOKEN); SMSQ_BENCH_CLASS picks the lane. With SMSQ_BENCH_KEYS
-- set, each request has an idempotency key of its own.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "done.lua")
local token = os.getenv("SMSQ_TOKEN")
local class = os.getenv("SMSQ_BENCH_CLASS") or "transactional"
local keys = os.getenv("SMSQ_BENCH_KEYS")
local threads = 0

function setup(thread)
    thread:set("offset", threads * 1000000)
    threads = threads + 1
end

function init(args)
    count = 0
    began = os.time()
    headers = {
        ["Authorization"] = "Bearer " .. token,
        ["Content-Type"] = "application/json",
    }
end

-- 415 555 xxxx and 212 555 xxxx exist: a number that does would not be reached by anybody,
-- as nothing but the simulator is behind.
function request()
    count = count + 1
    local n = offset + count
    local to = string.format("+1%s%07d", n % 2 == 0 and "415" or "212", 2000000 + n % 7999999)
    local body = string.format(
        '{"to":"%s","body":"Your table for two is booked, number %d. See you soon!","class":"%s"}',
        to, n, class)
    if keys then
        headers["Idempotency-Key"] = string.format("bench-%d-%d", began, n)
    end
    return wrk.format("POST", "/sms/send", headers, body)
end
