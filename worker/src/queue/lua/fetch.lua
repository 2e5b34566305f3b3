-- Moves what has become due, takes back expired leases, then leases up to `wanted` ready tasks.
-- ARGV: wanted, lease in ms, lease token, limit of the dead list.
-- Returns: ms until something else becomes due (-1 = nothing), tasks still ready, and the leased {id, payload, attempt, max_attempts}.
local wanted, lease, token, dead_limit = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])

for _, id in ipairs(redis.call('ZRANGEBYSCORE', SCHEDULED, '-inf', now, 'LIMIT', 0, 500)) do
  redis.call('ZREM', SCHEDULED, id)
  make_ready(id)
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', LEASED, '-inf', now, 'LIMIT', 0, 100)) do
  redis.call('ZREM', LEASED, id)
  local counts = redis.call('HMGET', record(id), 'attempts', 'max_attempts')
  if counts[1] then
    if tonumber(counts[1]) >= tonumber(counts[2]) then
      bury(id, 'the worker was lost during the last attempt', dead_limit)
    else
      put_back(id)
    end
  end
end

local leased = {}
local taken = wanted > 0 and redis.call('ZPOPMIN', READY, wanted) or {}
for i = 1, #taken, 2 do
  local id = taken[i]
  local task = redis.call('HMGET', record(id), 'payload', 'max_attempts')
  if task[1] then
    local attempt = redis.call('HINCRBY', record(id), 'attempts', 1)
    redis.call('HSET', record(id), 'state', 'leased', 'lease', token)
    redis.call('ZADD', LEASED, now + lease, id)
    leased[#leased + 1] = { id, task[1], attempt, tonumber(task[2]) }
  end
end

local wait = -1
for _, key in ipairs({ SCHEDULED, LEASED }) do
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if first[2] then
    local left = math.max(tonumber(first[2]) - now, 0)
    if wait < 0 or left < wait then wait = left end
  end
end

return { wait, redis.call('ZCARD', READY), leased }
