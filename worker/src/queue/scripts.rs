//! The Lua scripts, each behind the same opening, loaded into Redis on first use.
//! Every change of state is one script, so that no crash can leave a task between two states.

use std::sync::LazyLock;

use redis::Script;

macro_rules! script {
    ($name:ident, $file:literal) => {
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(include_str!("lua/common.lua"), include_str!($file)))
        });
    };
}

script!(PUSH, "lua/push.lua");
script!(FETCH, "lua/fetch.lua");
script!(ACK, "lua/ack.lua");
script!(RENEW, "lua/renew.lua");
script!(STATS, "lua/stats.lua");
