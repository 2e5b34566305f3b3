//! Items by words: what somebody typed, as conditions on what items are found by.
//!
//! An item is found when each word is the beginning of one of its own. A word that nothing begins with is taken for a typo of the words
//! that are nearest to it. What was typed may as well be the beginning of a SKU or a barcode.

mod suggest;
mod token;

use entity::id::ItemId;
use sea_orm::{ConnectionTrait, QueryResult};

pub(super) use suggest::{SUGGESTIONS_DEFAULT, SUGGESTIONS_MAX, suggest};
use token::Token;

use crate::{
    barcode::BARCODE_MAX,
    error::{Code, Refusal, Result},
    sku,
    sql::{Sql, uuids},
    text::ascii_digits,
};

/// Longest text to look for, in characters.
pub(super) const TEXT_MAX: usize = 200;
/// Most words that are looked for; further ones are left out.
pub(super) const WORDS_MAX: i32 = 10;
/// Most attributes whose values are searched.
const KEYS_MAX: i32 = 50;
/// Most barcodes that begin alike and are looked at.
const BARCODES_MAX: i32 = 100;
/// Few characters are the beginning of too many codes.
const CODE_MIN: usize = 2;

/// Bounds what a client can make us look for.
pub(super) fn check(path: &str, text: &str) -> Result<(), Refusal> {
    if text.chars().count() > TEXT_MAX {
        return Err(Refusal::new(Code::TooLong, path).with("max", TEXT_MAX));
    }
    if text.contains('\0') {
        return Err(Refusal::new(Code::InvalidFormat, path));
    }
    Ok(())
}

/// What was typed, as it is looked for.
#[derive(Debug)]
pub(super) struct Words {
    tokens: Vec<Token>,
    /// Attributes whose values are searched.
    keys: Vec<String>,
    /// A SKU that others begin with.
    sku: Option<String>,
    /// Items with a barcode that begins so.
    barcoded: Vec<ItemId>,
    /// Those whose barcode it is.
    scanned: Vec<ItemId>,
}

impl Words {
    /// None when nothing was typed.
    pub(super) async fn resolve(db: &impl ConnectionTrait, text: &str) -> Result<Option<Self>> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let codes = Codes::find(db, text).await?;
        Ok(Some(Self {
            tokens: token::resolve(db, text).await?,
            keys: codes.keys,
            sku: codes.sku,
            barcoded: codes.barcoded,
            scanned: codes.scanned,
        }))
    }

    /// Appends the condition on the item `i`.
    pub(super) fn push(&self, sql: &mut Sql) {
        let mut any = "(";
        if !self.tokens.is_empty() {
            let query: Vec<_> = self
                .tokens
                .iter()
                .map(|token| token.query(&self.keys))
                .collect();
            sql.push("(i.search @@ ")
                .bind(query.join(" & "))
                .push("::tsquery");
            any = " OR ";
        }
        if let Some(sku) = &self.sku {
            sql.push(any).push("(i.sku >= ").bind(sku.as_str());
            sql.push(" AND i.sku < ").bind(beyond(sku)).push(")");
            any = " OR ";
        }
        if !self.barcoded.is_empty() {
            sql.push(any)
                .push("i.id = ANY(")
                .bind(uuids(&self.barcoded))
                .push(")");
            any = " OR ";
        }
        sql.push(if any == "(" { "(false)" } else { ")" });
    }

    /// Appends how well the item `i` fits: ten for each word that its name begins with, twenty more for each that is one of its name's as it
    /// is; somewhat less the more words it has; far more when it is just this SKU or barcode.
    pub(super) fn push_score(&self, sql: &mut Sql) {
        sql.push("(0");
        for token in &self.tokens {
            for (query, weight) in [(token.whole(), "20"), (token.begun(), "10")] {
                sql.push(" + (i.search @@ ")
                    .bind(query)
                    .push("::tsquery)::int4 * ")
                    .push(weight);
            }
        }
        if let Some(sku) = &self.sku {
            sql.push(" + (i.sku = ")
                .bind(sku.as_str())
                .push(")::int4 * 1000");
        }
        if !self.scanned.is_empty() {
            sql.push(" + (i.id = ANY(")
                .bind(uuids(&self.scanned))
                .push("))::int4 * 1000");
        }
        sql.push(" - LEAST(length(i.search), 9))");
    }
}

/// In the order of code points nothing that begins with the text comes behind this.
fn beyond(text: &str) -> String {
    format!("{text}{}", char::MAX)
}

/// What else than words was typed.
struct Codes {
    keys: Vec<String>,
    sku: Option<String>,
    barcoded: Vec<ItemId>,
    scanned: Vec<ItemId>,
}

impl Codes {
    async fn find(db: &impl ConnectionTrait, text: &str) -> Result<Self> {
        let long_enough = |code: &String| code.chars().count() >= CODE_MIN;
        let sku = sku::parse("search", text).ok().filter(long_enough);
        let barcode = Some(ascii_digits(text))
            .filter(long_enough)
            .filter(|code| code.len() <= BARCODE_MAX && code.is_ascii());
        let mut sql = Sql::new(
            "SELECT ARRAY(SELECT DISTINCT key FROM attribute WHERE searchable AND retired_at IS NULL ORDER BY key LIMIT ",
        );
        sql.bind(KEYS_MAX).push(")");
        match &sku {
            Some(sku) => sql
                .push(", EXISTS (SELECT FROM item WHERE sku >= ")
                .bind(sku.as_str())
                .push(" AND sku < ")
                .bind(beyond(sku))
                .push(")"),
            None => sql.push(", false"),
        };
        for (end, limit) in [
            (barcode.as_deref().map(beyond), BARCODES_MAX),
            (barcode.clone(), 1),
        ] {
            sql.push(", ARRAY(SELECT item_id FROM item_barcode WHERE barcode BETWEEN ")
                .bind(barcode.clone())
                .push(" AND ")
                .bind(end)
                .push(" ORDER BY barcode LIMIT ")
                .bind(limit)
                .push(")");
        }
        let row = db.query_one_raw(sql.build()).await?;
        row.map_or_else(|| Ok(Self::none()), |row| Self::read(&row, sku))
    }

    fn none() -> Self {
        Self {
            keys: Vec::new(),
            sku: None,
            barcoded: Vec::new(),
            scanned: Vec::new(),
        }
    }

    fn read(row: &QueryResult, sku: Option<String>) -> Result<Self> {
        let ids = |index| -> Result<Vec<ItemId>> {
            let ids: Vec<uuid::Uuid> = row.try_get_by_index(index)?;
            Ok(ids.into_iter().map(ItemId).collect())
        };
        let begins_sku: bool = row.try_get_by_index(1)?;
        Ok(Self {
            keys: row.try_get_by_index(0)?,
            sku: sku.filter(|_| begins_sku),
            barcoded: ids(2)?,
            scanned: ids(3)?,
        })
    }
}
