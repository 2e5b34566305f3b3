-- Extends leases. ARGV: lease in ms, then id and lease token of each.
-- Returns one number per lease: 1 = extended, 0 = lost to somebody else, 2 = the queue has forgotten the task (it was wiped).
local until_ms = now + tonumber(ARGV[3])

local answers = {}
for i = 4, #ARGV, 2 do
  local id = ARGV[i]
  local task = redis.call('HMGET', record(id), 'state', 'lease', 'settled')
  local answer = 0
  if not task[1] then
    answer = 2
  elseif task[1] == 'leased' and task[2] == ARGV[i + 1] then
    redis.call('ZADD', LEASED, until_ms, id)
    answer = 1
  elseif task[3] == ARGV[i + 1] then
    answer = 1 -- already settled; the reply to that message was lost
  end
  answers[#answers + 1] = answer
end
return answers
