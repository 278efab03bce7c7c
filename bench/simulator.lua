-- simulator.lua: for wrk: creates at the simulator, with a different recipient and message
-- id each time. The account comes from the environment (SMSQ_ACCOUNT_SID, SMSQ_AUTH_TOKEN),
-- else it is the simulator's default; SMSQ_BENCH_CALLBACK is the base of the callback
-- address, with callbacks only if it is set.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "done.lua")
local sid = os.getenv("SMSQ_ACCOUNT_SID") or "AC00000000000000000000000000000001"
local token = os.getenv("SMSQ_AUTH_TOKEN") or "00000000000000000000000000000002"
local callback = os.getenv("SMSQ_BENCH_CALLBACK")
local threads = 0

local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(text)
    local out = {}
    for at = 1, #text, 3 do
        local a, b, c = text:byte(at, at + 2)
        local n = a * 65536 + (b or 0) * 256 + (c or 0)
        for place = 0, 3 do
            local digit = math.floor(n / 64 ^ (3 - place)) % 64
            local is_there = place < 2 or (place == 2 and b) or (place == 3 and c)
            out[#out + 1] = is_there and digits:sub(digit + 1, digit + 1) or "="
        end
    end
    return table.concat(out)
end

local function escape(text)
    return (text:gsub("[^%w]", function(c) return string.format("%%%02X", c:byte()) end))
end

function setup(thread)
    thread:set("offset", threads * 10000000)
    threads = threads + 1
end

function init(args)
    count = 0
    path = "/2010-04-01/Accounts/" .. sid .. "/Messages.json"
    headers = {
        ["Authorization"] = "Basic " .. base64(sid .. ":" .. token),
        ["Content-Type"] = "application/x-www-form-urlencoded",
    }
end

function request()
    count = count + 1
    local n = offset + count
    local body = string.format(
        "To=%%2B1415%07d&From=%%2B15005550006&Body=Your+table+for+two+is+booked%%2C+number+%d.+See+you+soon%%21",
        2000000 + n % 7999999, n)
    if callback and callback ~= "" then
        body = body .. "&StatusCallback=" .. escape(string.format(
            "%s/sms/webhook/status?m=018f0000-0000-7000-8000-%012x&t=1&k=0123456789abcdef#rc=5&rp=all",
            callback, n))
    end
    return wrk.format("POST", path, headers, body)
end
