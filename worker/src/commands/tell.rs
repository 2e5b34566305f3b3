//! What the command line says: tables for people, and refusals as sentences.

use domain::locale::Locale;
use platform::messages;
use worker::service::StartError;

use super::say;

/// What was done, or why not, in words.
pub(crate) fn done<T>(result: domain::Result<T>) -> Result<T, StartError> {
    result.map_err(|error| match error {
        domain::Error::Refused(refusals) => refusals
            .iter()
            .map(|refusal| messages::sentence(Locale::En, refusal))
            .collect::<Vec<_>>()
            .join(" ")
            .into(),
        other => other.into(),
    })
}

/// Columns as wide as what is in them.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
    let rows: Vec<_> = std::iter::once(head.map(str::to_owned))
        .chain(rows)
        .collect();
    let width = |column: usize| {
        let cells = rows
            .iter()
            .map(|row: &[String; N]| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    for row in &rows {
        let cells = row.iter().zip(widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        say(cells.join("  ").trim_end());
    }
}
