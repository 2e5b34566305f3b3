-- Settles attempts. ARGV: retention of done tasks in ms, limit of the dead list,
-- then for each attempt: id, lease token, outcome, delay in ms (of a retry), error text.
-- Returns one number per attempt: 1 = settled (now or by an earlier delivery of the same message), 0 = refused, the lease was lost.
local retention, dead_limit = ARGV[3], tonumber(ARGV[4])

local settle = {
  done = function(id)
    redis.call('HSET', record(id), 'state', 'done')
    redis.call('HDEL', record(id), 'payload')
    redis.call('PEXPIRE', record(id), retention)
  end,
  failed = function(id, delay, reason)
    local counts = redis.call('HMGET', record(id), 'attempts', 'max_attempts')
    if tonumber(counts[1]) >= tonumber(counts[2]) then
      bury(id, reason, dead_limit)
    else
      redis.call('HSET', record(id), 'error', reason)
      schedule(id, now + delay)
    end
  end,
  aborted = function(id, _, reason)
    bury(id, reason, dead_limit)
  end,
  -- Never started: the attempt is not counted and the place in the line is kept.
  returned = function(id)
    redis.call('HINCRBY', record(id), 'attempts', -1)
    put_back(id)
    redis.call('PUBLISH', WAKE_CHANNEL, 1)
  end,
}

local answers = {}
for i = 5, #ARGV, 5 do
  local id, token = ARGV[i], ARGV[i + 1]
  local task = redis.call('HMGET', record(id), 'state', 'lease', 'settled')
  local answer = 1
  if task[1] == 'leased' and task[2] == token then
    redis.call('ZREM', LEASED, id)
    redis.call('HSET', record(id), 'settled', token)
    settle[ARGV[i + 2]](id, tonumber(ARGV[i + 3]), ARGV[i + 4])
  elseif task[3] ~= token then
    redis.call('INCR', FENCED)
    answer = 0
  end
  answers[#answers + 1] = answer
end
return answers
