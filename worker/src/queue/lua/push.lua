-- Accepts tasks whose id is not known. With mode 'again', an id that has finished (done or dead) starts afresh.
-- ARGV: mode, then for each task: id, payload, due time in ms (0 = now), priority, max_attempts. Returns the number accepted.
local again = ARGV[3] == 'again'
local accepted = 0

for i = 4, #ARGV, 5 do
  local id, due = ARGV[i], tonumber(ARGV[i + 2])
  local state = redis.call('HGET', record(id), 'state')
  local finished = state == 'done' or state == 'dead'
  if not state or (again and finished) then
    redis.call('DEL', record(id))
    redis.call('ZREM', DEAD, id)
    redis.call('HSET', record(id), 'payload', ARGV[i + 1], 'priority', ARGV[i + 3], 'max_attempts', ARGV[i + 4], 'attempts', 0)
    if due > now then schedule(id, due) else make_ready(id) end
    accepted = accepted + 1
  end
end

if accepted > 0 then redis.call('PUBLISH', WAKE_CHANNEL, accepted) end
return accepted
