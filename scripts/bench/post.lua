-- A script for wrk: lets stock leave, each request with an idempotency key of its own.
--
--   wrk ... -s post.lua URL -- DOCUMENT STOCK LINES RUN [check]        (the API token is in BENCH_TOKEN)
--
-- STOCK has the id of a location in its first line, and of an item in each of the others. An entry has LINES lines of one piece each: with one
-- it is always the first item, with more they are of as many parts of the list, one of each. RUN begins all keys.
--
-- With "check" every answer is read, as in load.lua; without, whoever asks counts the entries in the database. The last line of the output is
-- for the scripts, and the same as load.lua's.

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

local items = {}
local head, location, lines, run, headers

function init(args)
    local document = read_all(args[1]):gsub("%s+", " "):gsub('"', '\\"')
    for line in io.lines(args[2]) do
        if location then table.insert(items, line) else location = line end
    end
    lines, run = tonumber(args[3]), args[4]
    head = '{"query":"' .. document .. '","variables":{"input":{"reason":"SOLD","idempotencyKey":"' .. run .. "-" .. number .. "-"
    headers = {
        ["Authorization"] = "Bearer " .. assert(os.getenv("BENCH_TOKEN"), "BENCH_TOKEN is not set"),
        ["Content-Type"] = "application/json",
        ["Accept"] = "application/json",
    }
    if args[5] == "check" then response = check end
    math.randomseed(number + 1)
    sent, wrong, example = 0, 0, ""
end

local function item_of(part)
    if lines == 1 then return items[1] end
    local size = math.floor(#items / lines)
    return items[part * size + math.random(size)]
end

function request()
    local body = { head, sent, '","lines":[' }
    sent = sent + 1
    for part = 0, lines - 1 do
        table.insert(body, (part > 0 and "," or "") .. '{"itemId":"' .. item_of(part) .. '","fromId":"' .. location .. '","quantity":1}')
    end
    table.insert(body, "]}}}")
    return wrk.format("POST", wrk.path, headers, table.concat(body))
end

-- wrk hands answers over to a function of the name "response", if there is one when "init" has run.
function check(status, _, body)
    local is_right = status == 200 and body:find('"lines":' .. lines .. "}", 1, true) and body:find('"userErrors":[]', 1, true)
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
