-- The opening of every script: the queue's keys, the server's clock, and the moves that several scripts share.
-- Every script gets the same KEYS and the same first two ARGV; its own arguments start at ARGV[3].
local READY, SCHEDULED, LEASED = KEYS[1], KEYS[2], KEYS[3]
local DEAD, SEQUENCE, FENCED = KEYS[4], KEYS[5], KEYS[6]
local RECORD_PREFIX, WAKE_CHANNEL = ARGV[1], ARGV[2]

-- The server's clock, in milliseconds: workers' clocks may disagree, this one cannot.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

-- One priority step outweighs 2^44 pushes; 128 steps still fit exactly into a score's 53 bits.
local PRIORITY_STEP = 2 ^ 44

local function record(id)
  return RECORD_PREFIX .. id
end

-- Puts a task at the end of the line of its priority. A task without a record has been wiped: it is skipped.
local function make_ready(id)
  local priority = tonumber(redis.call('HGET', record(id), 'priority'))
  if not priority then return end
  local place = redis.call('INCR', SEQUENCE) - priority * PRIORITY_STEP
  redis.call('HSET', record(id), 'state', 'ready', 'ready_at', now, 'place', place)
  redis.call('ZADD', READY, place, id)
end

-- Puts a task back to the place in the line that it was taken from.
local function put_back(id)
  local place = redis.call('HGET', record(id), 'place')
  redis.call('HSET', record(id), 'state', 'ready')
  redis.call('ZADD', READY, place, id)
end

local function schedule(id, due)
  redis.call('HSET', record(id), 'state', 'scheduled')
  redis.call('ZADD', SCHEDULED, due, id)
end

-- Ends a task for good, and forgets the oldest dead tasks beyond the limit (a few at a time: one burial adds one).
local function bury(id, reason, limit)
  redis.call('HSET', record(id), 'state', 'dead', 'error', reason)
  redis.call('HDEL', record(id), 'payload')
  redis.call('ZADD', DEAD, now, id)
  local surplus = math.min(redis.call('ZCARD', DEAD) - limit, 16)
  if surplus <= 0 then return end
  local oldest = redis.call('ZPOPMIN', DEAD, surplus)
  for i = 1, #oldest, 2 do
    redis.call('DEL', record(oldest[i]))
  end
end
