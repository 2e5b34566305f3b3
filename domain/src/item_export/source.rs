//! The items of an export, read some thousand at a time over one cursor: all as they were when it was opened.

use std::collections::HashMap;

use entity::{attribute::RefersTo, id::UnitOfMeasureId, item_export::Model as ItemExport};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, IsolationLevel,
};

use super::{
    NewItemExport,
    facts::Facts,
    row::{ALL, ExportedItem},
};
use crate::{
    Domain,
    attribute::names,
    error::{Error, Result},
    item::{ITEM_COLUMNS, push_order},
    item_import::{Categories, Column, Format},
    sql::{Sql, statement},
};

/// Items read at a time.
const PAGE: &str = "FETCH FORWARD 2000 FROM exported";

/// Most columns of a table: what an import reads again.
const COLUMNS_MAX: usize = 500;

/// What this transaction may do longer than others: sort a million items, and wait for a slow store of files.
const PATIENCE: &str = "SET LOCAL statement_timeout = '10min'; SET LOCAL idle_in_transaction_session_timeout = '5min'; \
    SET LOCAL cursor_tuple_fraction = 1.0";

/// Items being read. Its transaction ends when it is dropped.
pub struct Source {
    tx: DatabaseTransaction,
    categories: Categories,
    units: HashMap<UnitOfMeasureId, String>,
    facts: Facts,
    request: NewItemExport,
    columns: Option<Vec<Column>>,
    count: u64,
}

impl Source {
    pub(super) async fn open(domain: &Domain, export: ItemExport) -> Result<Self> {
        let request: NewItemExport = serde_json::from_value(export.request)?;
        let isolation = Some(IsolationLevel::RepeatableRead);
        let tx = domain
            .db
            .begin_with_config(isolation, Some(AccessMode::ReadOnly))
            .await?;
        tx.execute_unprepared(PATIENCE).await?;
        let units = entity::unit_of_measure::Entity::find().all(&tx).await?;
        let count = count(&tx, &request).await?;
        let mut facts = Facts::default();
        let columns = columns(&tx, &request, &mut facts).await?;
        declare(&tx, &request).await?;
        Ok(Self {
            categories: Categories::read(&tx).await?,
            units: units.into_iter().map(|unit| (unit.id, unit.code)).collect(),
            tx,
            facts,
            request,
            columns,
            count,
        })
    }

    /// How the file is to be written.
    #[must_use]
    pub fn format(&self) -> Format {
        self.request.format
    }

    /// The columns; none for lines of JSON with all there is.
    #[must_use]
    pub fn columns(&self) -> Option<&[Column]> {
        self.columns.as_deref()
    }

    /// How many items there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The next items; none when there are no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next(&mut self) -> Result<Vec<ExportedItem>> {
        let fetch = ExportedItem::find_by_statement(statement(PAGE, []));
        let mut page = fetch.all(&self.tx).await?;
        for exported in &mut page {
            let item = &exported.item;
            let category = self
                .categories
                .text_of(item.category_id, &self.request.locale);
            exported.category = category.unwrap_or_default();
            exported.unit = self.units.get(&item.unit_id).cloned().unwrap_or_default();
        }
        self.facts.show_in_tx(&self.tx, &mut page).await?;
        name_templates_in_tx(&self.tx, &mut page).await?;
        Ok(page)
    }
}

/// Says of variants whose they are, by one statement.
async fn name_templates_in_tx(tx: &DatabaseTransaction, page: &mut [ExportedItem]) -> Result<()> {
    let templates = page.iter().filter_map(|exported| exported.item.template_id);
    let mut ids: Vec<_> = templates.map(|id| id.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    ids.sort_unstable();
    ids.dedup();
    let skus = names(tx, RefersTo::Item, &ids).await?;
    for exported in page {
        let id = exported.item.template_id.map(|id| id.0);
        let sku = id.and_then(|id| skus.get(&id));
        exported.template = sku.cloned().unwrap_or_default();
    }
    Ok(())
}

/// Appends which items.
async fn push_items(
    tx: &DatabaseTransaction,
    request: &NewItemExport,
    sql: &mut Sql,
) -> Result<()> {
    sql.push(" FROM item i WHERE ");
    request.selection.resolve(tx).await?.push(sql);
    Ok(())
}

async fn count(tx: &DatabaseTransaction, request: &NewItemExport) -> Result<u64> {
    let mut sql = Sql::new("SELECT count(*)");
    push_items(tx, request, &mut sql).await?;
    let row = tx.query_one_raw(sql.build()).await?;
    let row = row.ok_or_else(|| Error::internal("a count gave no row"))?;
    let count: i64 = row.try_get_by_index(0)?;
    Ok(count.unsigned_abs())
}

async fn declare(tx: &DatabaseTransaction, request: &NewItemExport) -> Result<()> {
    let mut sql = Sql::new("DECLARE exported NO SCROLL CURSOR FOR SELECT ");
    sql.push(ITEM_COLUMNS).push(
        ", ARRAY(SELECT b.barcode FROM item_barcode b WHERE b.item_id = i.id ORDER BY b.position) AS barcodes",
    );
    push_items(tx, request, &mut sql).await?;
    push_order(
        &request.order,
        request.locale.parse().unwrap_or_default(),
        &mut sql,
    );
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

/// The columns that were asked for, or all that some item has something in.
async fn columns(
    tx: &DatabaseTransaction,
    request: &NewItemExport,
    facts: &mut Facts,
) -> Result<Option<Vec<Column>>> {
    if let Some(headers) = &request.columns {
        return Ok(Some(
            headers
                .iter()
                .filter_map(|header| Column::of(header))
                .collect(),
        ));
    }
    if request.format == Format::JsonLines {
        return Ok(None);
    }
    let mut columns = ALL.to_vec();
    for (text, column) in [
        ("name", Column::Name as fn(String) -> Column),
        ("description", Column::Description),
    ] {
        let mut sql = Sql::new("SELECT DISTINCT jsonb_object_keys(i.");
        sql.push(text).push(") AS key");
        push_items(tx, request, &mut sql).await?;
        sql.push(" ORDER BY key");
        for row in tx.query_all_raw(sql.build()).await? {
            columns.push(column(row.try_get_by_index(0)?));
        }
    }
    columns.extend(attributes(tx, request, facts).await?);
    if columns.len() > COLUMNS_MAX {
        let why =
            "these items have more attributes than a table may have columns; JSON Lines hold them";
        return Err(Error::Refused(vec![
            crate::Refusal::new(crate::Code::TooMany, "columns").with("value", why),
        ]));
    }
    Ok(Some(columns))
}

/// An attribute that is declared, or is a text and no blank one wherever it is given, is written as a text; another one as JSON, so that it
/// comes back as what it was.
async fn attributes(
    tx: &DatabaseTransaction,
    request: &NewItemExport,
    facts: &mut Facts,
) -> Result<Vec<Column>> {
    let mut sql = Sql::new(
        "SELECT i.category_id, a.key, bool_and(jsonb_typeof(a.value) = 'string' AND a.value #>> '{}' <> ''
                AND a.value #>> '{}' = btrim(a.value #>> '{}', E' \\t\\r\\n'))
         FROM (SELECT i.category_id, i.attributes",
    );
    push_items(tx, request, &mut sql).await?;
    sql.push(") i CROSS JOIN jsonb_each(i.attributes) a GROUP BY i.category_id, a.key");
    let rows = tx.query_all_raw(sql.build()).await?;
    let keys = rows.iter().map(|row| {
        Ok((
            row.try_get_by_index(0)?,
            row.try_get_by_index(1)?,
            row.try_get_by_index(2)?,
        ))
    });
    let keys = keys.collect::<Result<_>>()?;
    let names = facts.names_in_tx(tx, keys).await?;
    let columns = names.into_iter().map(|(name, is_text)| {
        if is_text {
            Column::Attribute(name)
        } else {
            Column::AttributeJson(name)
        }
    });
    Ok(columns.collect())
}
