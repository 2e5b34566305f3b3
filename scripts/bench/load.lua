-- A script for wrk: sends one GraphQL document with varying variables.
--
--   wrk ... -s load.lua URL -- DOCUMENT CASES [check|pause]        (the API token is in BENCH_TOKEN)
--
-- With "pause" a connection waits for some milliseconds between its requests: then the load is the same however fast the
-- answers are.
--
-- With "check" every answer is read. That takes more of the machine than everything else wrk does, and pgbench does not
-- look at its rows either, so the loads whose speed counts do without: of them only the statuses are told.
--
-- A line of CASES is the variables as JSON, a tab, and a text that the answer must contain. Each request carries the
-- number of its line as its request id, which comes back with the answer. The last line of the output is for the
-- scripts: "result", then wrong answers, failed requests, requests, seconds, p50, p95 and p99 in milliseconds.

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

local function headers_of(line)
    return {
        ["Authorization"] = "Bearer " .. assert(os.getenv("BENCH_TOKEN"), "BENCH_TOKEN is not set"),
        ["Content-Type"] = "application/json",
        ["Accept"] = "application/json",
        ["X-Request-Id"] = "bench-" .. line,
    }
end

local requests, expected = {}, {}

function init(args)
    local document = read_all(args[1]):gsub("%s+", " "):gsub('"', '\\"')
    for line in io.lines(args[2]) do
        local variables, text = line:match("^(.-)\t(.+)$")
        local body = '{"query":"' .. document .. '","variables":' .. variables .. "}"
        table.insert(expected, text)
        table.insert(requests, wrk.format("POST", wrk.path, headers_of(#expected), body))
    end
    if args[3] == "check" then response = check end
    if args[3] == "pause" then delay = pause end
    -- Each thread begins at another place.
    place = math.floor(number * #requests / 7)
    wrong, example = 0, ""
end

function request()
    place = place % #requests + 1
    return requests[place]
end

function pause() return math.random(5, 15) end

local function is_right(status, headers, body)
    local line = tonumber((headers["x-request-id"] or ""):match("^bench%-(%d+)$"))
    return status == 200 and line and body:find(expected[line], 1, true) and not body:find('"errors":', 1, true)
end

-- wrk hands answers over to a function of the name "response", if there is one when "init" has run.
function check(status, headers, body)
    if not is_right(status, headers, body) then
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
