-- A script for wrk: posts entries of six lines, each request with an idempotency key of its own.
--
--   wrk ... -s journal.lua URL -- DOCUMENT ACCOUNTS DATE ENTRIES RUN [check]        (the API token is in BENCH_TOKEN)
--
-- ACCOUNTS has the ids of six accounts, a line each. With ENTRIES 1 it is journalPost that is asked, and with more journalPostBulk, with as many
-- entries. RUN begins all keys.
--
-- With "check" every answer is read; without, whoever asks counts the entries in the database. The last line of the output is for the scripts,
-- and the same as load.lua's.

local threads = {}

function setup(thread)
    thread:set("number", #threads)
    table.insert(threads, thread)
end

local function read_all(path)
    local file = assert(io.open(path))
    local text = file:read("*a")
    file:close()
    return text
end

local SIDES = { { "debit", 60 }, { "debit", 50 }, { "credit", 100 }, { "credit", 10 }, { "debit", 70 }, { "credit", 70 } }
local head, tail, headers, entries

local function entry_of(accounts, date)
    local lines = {}
    for place, account in ipairs(accounts) do
        local side = SIDES[place]
        table.insert(lines, ('{"accountId":"%s","%s":"%d"}'):format(account, side[1], side[2]))
    end
    return '"date":"' .. date .. '","description":"Sale","lines":[' .. table.concat(lines, ",") .. "]"
end

function init(args)
    local document = read_all(args[1]):gsub("%s+", " "):gsub('"', '\\"')
    local accounts = {}
    for line in io.lines(args[2]) do table.insert(accounts, line) end
    local entry = entry_of(accounts, args[3])
    entries = tonumber(args[4])
    head = '{"query":"' .. document .. '","variables":{"input":{"idempotencyKey":"' .. args[5] .. "-" .. number .. "-"
    if entries == 1 then
        tail = '",' .. entry .. "}}}"
    else
        tail = '","entries":[' .. ("{" .. entry .. "},"):rep(entries - 1) .. "{" .. entry .. "}]}}}"
    end
    headers = {
        ["Authorization"] = "Bearer " .. assert(os.getenv("BENCH_TOKEN"), "BENCH_TOKEN is not set"),
        ["Content-Type"] = "application/json",
        ["Accept"] = "application/json",
    }
    if args[6] == "check" then response = check end
    sent, wrong, example = 0, 0, ""
end

function request()
    sent = sent + 1
    return wrk.format("POST", wrk.path, headers, head .. sent .. tail)
end

-- wrk hands answers over to a function of the name "response", if there is one when "init" has run.
function check(status, _, body)
    local is_right = status == 200 and body:find('"number":', 1, true) and body:find('"userErrors":[]', 1, true)
        and not body:find('"errors":', 1, true)
    if not is_right then
        wrong = wrong + 1
        example = status .. " " .. body:sub(1, 300)
    end
end

function done(summary, latency)
    local wrong_answers = 0
    for _, thread in ipairs(threads) do
        wrong_answers = wrong_answers + thread:get("wrong")
        if thread:get("example") ~= "" then print("wrong answer: " .. thread:get("example")) end
    end
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    print(("result %d %d %d %.3f %.2f %.2f %.2f"):format(
        wrong_answers, failed, summary.requests, summary.duration / 1e6,
        latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
