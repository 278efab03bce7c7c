-- callbacks.lua: for wrk: posts the signed callbacks of the file SMSQ_BENCH_CALLBACKS, each
-- once: its lines are "target signature form". With none left the run fails.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "done.lua")

function init(args)
    lines = io.lines(os.getenv("SMSQ_BENCH_CALLBACKS"))
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
end

function request()
    local target, signature, form = lines():match("^(%S+) (%S+) (%S+)$")
    headers["X-Twilio-Signature"] = signature
    return wrk.format("POST", target, headers, form)
end
