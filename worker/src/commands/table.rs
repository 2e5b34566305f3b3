//! Tables for people at a terminal, and JSON for programs.

use serde::Serialize;
use worker::service::StartError;

use super::say;

/// Says rows in columns, below their names; the last column may be of any width.
pub(crate) fn say_table<const N: usize>(names: [&str; N], rows: &[[String; N]]) {
    let mut widths = names.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let cells = cells.iter().zip(widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        say(cells.join("  ").trim_end());
    };
    line(names);
    for row in rows {
        line(row.each_ref().map(String::as_str));
    }
}

/// Says something as JSON.
pub(crate) fn say_json(value: &impl Serialize) -> Result<(), StartError> {
    say(&serde_json::to_string_pretty(value)?);
    Ok(())
}
