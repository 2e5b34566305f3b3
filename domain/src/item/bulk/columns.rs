//! Rows turned into columns, each an array: one statement with the same text however many rows.

use entity::id::{CategoryId, ItemId, UnitOfMeasureId};
use sea_orm::Value;

use super::super::rules::Draft;
use crate::{error::Result, sql::uuids};

/// The columns of items that shall be so.
#[derive(Default)]
pub(super) struct Columns {
    id: Vec<ItemId>,
    kind: Vec<String>,
    sku: Vec<String>,
    name: Vec<String>,
    description: Vec<String>,
    category_id: Vec<CategoryId>,
    unit_id: Vec<UnitOfMeasureId>,
    tracking: Vec<String>,
    price_amount: Vec<String>,
    price_currency: Vec<String>,
    attributes: Vec<String>,
    tags: Vec<String>,
    external_reference: Vec<String>,
    template_id: Vec<String>,
}

/// The columns as a table `r`, from the parameters `$1` to `$14`. An empty text stands for null: arrays of nullable values do not bind.
pub(super) const ROWS: &str = "(SELECT r.id, r.kind, r.sku, r.name::jsonb AS name, r.description::jsonb AS description, r.category_id, r.unit_id, r.tracking,
       NULLIF(r.price_amount, '')::numeric AS price_amount, NULLIF(r.price_currency, '') AS price_currency,
       r.attributes::jsonb AS attributes, r.tags::text[] AS tags,
       NULLIF(r.external_reference, '') AS external_reference, NULLIF(r.template_id, '')::uuid AS template_id
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::text[], $9::text[],
                 $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
          AS r (id, kind, sku, name, description, category_id, unit_id, tracking, price_amount, price_currency,
                attributes, tags, external_reference, template_id)) r";

impl Columns {
    pub(super) fn of<'a>(rows: impl IntoIterator<Item = (ItemId, &'a Draft)>) -> Result<Self> {
        let mut columns = Self::default();
        for (id, draft) in rows {
            columns.push(id, draft)?;
        }
        Ok(columns)
    }

    fn push(&mut self, id: ItemId, draft: &Draft) -> Result<()> {
        use sea_orm::ActiveEnum as _;
        let Draft {
            kind,
            sku,
            name,
            description,
            category_id,
            unit_id,
            tracking,
            price,
            pricing: _,
            metal: _,
            attributes,
            tags,
            barcodes: _,
            external_reference,
            template_id,
        } = draft;
        let (amount, currency) = price.as_ref().map_or_else(Default::default, |price| {
            (price.amount.to_string(), price.currency.clone())
        });
        self.id.push(id);
        self.kind.push(kind.to_value());
        self.sku.push(sku.clone());
        self.name.push(serde_json::to_string(name)?);
        self.description.push(serde_json::to_string(description)?);
        self.category_id.push(*category_id);
        self.unit_id.push(*unit_id);
        self.tracking.push(tracking.to_value());
        self.price_amount.push(amount);
        self.price_currency.push(currency);
        self.attributes.push(attributes.to_string());
        self.tags.push(array_literal(tags));
        self.external_reference
            .push(external_reference.clone().unwrap_or_default());
        self.template_id
            .push(template_id.map(|id| id.to_string()).unwrap_or_default());
        Ok(())
    }

    /// As the parameters `$1` to `$14`.
    pub(super) fn into_values(self) -> [Value; 14] {
        [
            uuids(&self.id),
            self.kind.into(),
            self.sku.into(),
            self.name.into(),
            self.description.into(),
            uuids(&self.category_id),
            uuids(&self.unit_id),
            self.tracking.into(),
            self.price_amount.into(),
            self.price_currency.into(),
            self.attributes.into(),
            self.tags.into(),
            self.external_reference.into(),
            self.template_id.into(),
        ]
    }
}

/// These texts as the text of an array of PostgreSQL's.
fn array_literal(texts: &[String]) -> String {
    let quoted = texts
        .iter()
        .map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")));
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::array_literal;

    #[test]
    fn arrays_are_written_as_postgresql_reads_them() {
        let texts = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(array_literal(&[]), "{}");
        assert_eq!(
            array_literal(&texts(&["gold", "a,b}", r#"5" \ null"#, "null"])),
            r#"{"gold","a,b}","5\" \\ null","null"}"#
        );
    }
}
