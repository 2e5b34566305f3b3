//! The changes to sessions that must happen as a whole. Times are milliseconds since 1970; how long a key lives is
//! the difference between two of them, so that only the caller's clock counts.

use std::sync::LazyLock;

use redis::Script;

/// The scripts, hashed once.
pub(super) static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| Scripts {
    create: Script::new(CREATE),
    touch: Script::new(TOUCH),
    list: Script::new(LIST),
    revoke: Script::new(REVOKE),
    revoke_all: Script::new(REVOKE_ALL),
});

pub(super) struct Scripts {
    pub(super) create: Script,
    pub(super) touch: Script,
    pub(super) list: Script,
    pub(super) revoke: Script,
    pub(super) revoke_all: Script,
}

/// KEYS: session, user's set. ARGV: record, id, now, end, prefix of session keys, most sessions of a user.
/// What has ended leaves the set; what exceeds the limit is ended.
const CREATE: &str = r"
local now, finish = tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('SET', KEYS[1], ARGV[1], 'PX', finish - now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2])
local surplus = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[6])
if surplus > 0 then
    for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, surplus - 1)) do
        redis.call('DEL', ARGV[5] .. id)
    end
    redis.call('ZREMRANGEBYRANK', KEYS[2], 0, surplus - 1)
end
redis.call('PEXPIRE', KEYS[2], math.max(redis.call('PTTL', KEYS[2]), finish - now))
";

/// KEYS: session, user's set. ARGV: record, id, now, end. A revoked session is not brought back.
const TOUCH: &str = r"
local left = tonumber(ARGV[4]) - tonumber(ARGV[3])
if redis.call('SET', KEYS[1], ARGV[1], 'XX', 'PX', left) then
    redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2])
    redis.call('PEXPIRE', KEYS[2], math.max(redis.call('PTTL', KEYS[2]), left))
end
";

/// KEYS: user's set. ARGV: prefix of session keys, now. Answers pairs of id and record.
const LIST: &str = r"
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[2], '+inf')) do
    local record = redis.call('GET', ARGV[1] .. id)
    if record then
        found[#found + 1] = {id, record}
    end
end
return found
";

/// KEYS: session, user's set. ARGV: id, user. Answers 1 if the user had the session.
const REVOKE: &str = r"
local record = redis.call('GET', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
if not record or cjson.decode(record)['user_id'] ~= ARGV[2] then
    return 0
end
return redis.call('DEL', KEYS[1])
";

/// KEYS: user's set. ARGV: prefix of session keys. Answers how many sessions there were.
const REVOKE_ALL: &str = r"
local ended = 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    ended = ended + redis.call('DEL', ARGV[1] .. id)
end
redis.call('DEL', KEYS[1])
return ended
";
