//! Panics go to the log like every other error: one line, with the place and the ids of the spans around it.

use std::{
    any::Any,
    panic::{self, PanicHookInfo},
    thread,
};

/// Replaces the process's panic hook by one that logs.
pub(super) fn log_them() {
    panic::set_hook(Box::new(log));
}

fn log(info: &PanicHookInfo<'_>) {
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = thread::current().name().unwrap_or("unnamed").to_owned();
    tracing::error!(target: "panic", location, thread, "panicked: {}", describe(info.payload()));
}

/// The panic's message on one line.
fn describe(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message")
        .lines()
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn messages_become_one_line() {
        assert_eq!(describe(&"a plain message"), "a plain message");
        assert_eq!(describe(&"two\nlines".to_owned()), "two lines");
        assert_eq!(describe(&7_u8), "without a message");
    }
}
