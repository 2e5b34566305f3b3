-- Counts the tasks of each state. A scheduled task that is due counts as ready, so that a queue without workers is seen to wait.
-- Returns: ready, scheduled, leased, dead, refused acknowledgements, age in ms of the oldest ready task (-1 = none).
local due = redis.call('ZCOUNT', SCHEDULED, '-inf', now)
local oldest = now + 1

local first_due = redis.call('ZRANGE', SCHEDULED, 0, 0, 'WITHSCORES')
if first_due[2] then oldest = math.min(oldest, tonumber(first_due[2])) end

-- The line is sorted by priority, then age: look at the first of each priority, at most 256 of them.
local from = '-inf'
while true do
  local first = redis.call('ZRANGEBYSCORE', READY, from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if not first[1] then break end
  local since = tonumber(redis.call('HGET', record(first[1]), 'ready_at'))
  if since then oldest = math.min(oldest, since) end
  from = (math.floor(tonumber(first[2]) / PRIORITY_STEP) + 1) * PRIORITY_STEP
end

return {
  redis.call('ZCARD', READY) + due,
  redis.call('ZCARD', SCHEDULED) - due,
  redis.call('ZCARD', LEASED),
  redis.call('ZCARD', DEAD),
  tonumber(redis.call('GET', FENCED) or 0),
  oldest > now and -1 or now - oldest,
}
