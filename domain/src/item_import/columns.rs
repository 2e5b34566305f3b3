//! The columns of a table: what its headers mean.

use std::collections::HashSet;

use entity::item_import::MatchBy;
use serde_json::Value;

use super::fields::{Fields, split_list};
use crate::error::{Code, Refusal};

/// Most columns of a table.
const COLUMNS_MAX: usize = 500;

/// What a column is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// Stock-keeping unit.
    Sku,
    /// Key in somebody else's system.
    ExternalReference,
    /// What sort of thing it is.
    Kind,
    /// Name in this language.
    Name(String),
    /// Description in this language.
    Description(String),
    /// The category's path.
    Category,
    /// The category's external reference.
    CategoryReference,
    /// Code of the unit.
    Unit,
    /// How pieces are told apart.
    Tracking,
    /// Amount of the price.
    Price,
    /// Currency of the price.
    Currency,
    /// This attribute, as a text.
    Attribute(String),
    /// This attribute, as JSON.
    AttributeJson(String),
    /// Free labels.
    Tags,
    /// What scanners read.
    Barcodes,
    /// SKU of the template whose variant it is.
    Template,
}

/// Headers in both languages, each in lower case and without blanks, dashes and the like.
const HEADERS: [(&str, Column); 36] = [
    ("sku", Column::Sku),
    ("کدکالا", Column::Sku),
    ("کد", Column::Sku),
    ("externalreference", Column::ExternalReference),
    ("reference", Column::ExternalReference),
    ("شناسهبیرونی", Column::ExternalReference),
    ("kind", Column::Kind),
    ("type", Column::Kind),
    ("نوع", Column::Kind),
    ("category", Column::Category),
    ("دسته", Column::Category),
    ("دستهبندی", Column::Category),
    ("categoryreference", Column::CategoryReference),
    ("شناسهدسته", Column::CategoryReference),
    ("unit", Column::Unit),
    ("unitofmeasure", Column::Unit),
    ("واحد", Column::Unit),
    ("واحدشمارش", Column::Unit),
    ("tracking", Column::Tracking),
    ("رهگیری", Column::Tracking),
    ("price", Column::Price),
    ("priceamount", Column::Price),
    ("قیمت", Column::Price),
    ("بها", Column::Price),
    ("currency", Column::Currency),
    ("pricecurrency", Column::Currency),
    ("ارز", Column::Currency),
    ("tags", Column::Tags),
    ("tag", Column::Tags),
    ("برچسبها", Column::Tags),
    ("barcodes", Column::Barcodes),
    ("barcode", Column::Barcodes),
    ("بارکد", Column::Barcodes),
    ("template", Column::Template),
    ("variantof", Column::Template),
    ("الگو", Column::Template),
];

/// A column that is one of many of its sort.
type OneOfMany = fn(String) -> Column;

/// Headers that end in a language or an attribute's name.
const PREFIXES: [(&str, OneOfMany); 6] = [
    ("name", Column::Name),
    ("نام", Column::Name),
    ("description", Column::Description),
    ("توضیح", Column::Description),
    ("attributes", Column::Attribute),
    ("attr", Column::Attribute),
];

impl Column {
    /// What a header means; none for a column without one.
    ///
    /// # Errors
    /// When nobody knows it.
    fn parse(header: &str) -> Result<Option<Self>, Refusal> {
        let header = header.trim();
        if header.is_empty() {
            return Ok(None);
        }
        if let Some((prefix, rest)) = header.split_once(['.', ':'])
            && let Some((_, column)) = PREFIXES.iter().find(|(known, _)| *known == plain(prefix))
            && !rest.trim().is_empty()
        {
            return Ok(Some(typed(column(rest.trim().to_owned()))));
        }
        let plain = plain(header);
        let known = HEADERS.iter().find(|(known, _)| *known == plain);
        let known = known.map(|(_, column)| column.clone());
        known
            .or_else(|| in_no_language(&plain))
            .map(Some)
            .ok_or_else(|| Refusal::new(Code::UnknownColumn, "").with("value", shortened(header)))
    }

    /// The column with this header, if there is one.
    #[must_use]
    pub fn of(header: &str) -> Option<Self> {
        Self::parse(header).ok().flatten()
    }

    /// The header that means this column.
    #[must_use]
    pub fn header(&self) -> String {
        match self {
            Self::Sku => "sku".into(),
            Self::ExternalReference => "externalReference".into(),
            Self::Kind => "kind".into(),
            Self::Name(language) => format!("name.{language}"),
            Self::Description(language) => format!("description.{language}"),
            Self::Category => "category".into(),
            Self::CategoryReference => "categoryReference".into(),
            Self::Unit => "unit".into(),
            Self::Tracking => "tracking".into(),
            Self::Price => "price".into(),
            Self::Currency => "currency".into(),
            Self::Attribute(name) => format!("attributes.{name}"),
            Self::AttributeJson(name) => format!("attributes.{name}:json"),
            Self::Tags => "tags".into(),
            Self::Barcodes => "barcodes".into(),
            Self::Template => "template".into(),
        }
    }

    /// Puts a cell where it belongs. An empty one says nothing.
    fn fill(&self, fields: &mut Fields, cell: &str) -> Result<(), Refusal> {
        let cell = cell.trim();
        if cell.is_empty() {
            return Ok(());
        }
        let text = || Some(cell.to_owned());
        match self {
            Self::Sku => fields.sku = text(),
            Self::ExternalReference => fields.external_reference = text(),
            Self::Kind => fields.kind = text(),
            Self::Name(language) => drop(fields.name.insert(language.clone(), cell.to_owned())),
            Self::Description(language) => {
                fields.description.insert(language.clone(), cell.to_owned());
            }
            Self::Category => fields.category = text(),
            Self::CategoryReference => fields.category_reference = text(),
            Self::Unit => fields.unit = text(),
            Self::Tracking => fields.tracking = text(),
            Self::Price => fields.price = text(),
            Self::Currency => fields.currency = text(),
            Self::Attribute(name) => {
                fields.attributes.insert(name.clone(), Value::from(cell));
            }
            Self::AttributeJson(name) => {
                let value = serde_json::from_str(cell).map_err(|_no_json| {
                    Refusal::new(Code::InvalidFormat, &format!("attributes.{name}"))
                        .with("value", shortened(cell))
                })?;
                fields.attributes.insert(name.clone(), value);
            }
            Self::Tags => fields.tags = Some(split_list(cell)),
            Self::Barcodes => fields.barcodes = Some(split_list(cell)),
            Self::Template => fields.template = text(),
        }
        Ok(())
    }
}

/// An attribute whose name ends in `:json` is JSON.
fn typed(column: Column) -> Column {
    match column {
        Column::Attribute(name) => match name.strip_suffix(":json") {
            Some(name) => Column::AttributeJson(name.to_owned()),
            None => Column::Attribute(name),
        },
        column => column,
    }
}

/// `name` alone is in the language of the word.
fn in_no_language(plain: &str) -> Option<Column> {
    match plain {
        "name" => Some(Column::Name("en".into())),
        "نام" | "نامکالا" => Some(Column::Name("fa".into())),
        "description" => Some(Column::Description("en".into())),
        "توضیح" | "توضیحات" => Some(Column::Description("fa".into())),
        _ => None,
    }
}

fn plain(header: &str) -> String {
    let letters = header.chars().filter(|char| char.is_alphanumeric());
    letters
        .flat_map(char::to_lowercase)
        .map(|char| match char {
            'ي' => 'ی',
            'ك' => 'ک',
            char => char,
        })
        .collect()
}

/// So much of a text that people recognise it.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

/// The columns of a table, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(Vec<Option<Column>>);

impl Columns {
    /// Reads the line of headers.
    ///
    /// # Errors
    /// Each header that nobody knows or that is there twice, and what must be there and is not.
    pub fn parse(headers: &[String], match_by: MatchBy) -> Result<Self, Vec<Refusal>> {
        if headers.len() > COLUMNS_MAX {
            return Err(vec![
                Refusal::new(Code::TooMany, "").with("max", COLUMNS_MAX),
            ]);
        }
        let mut refusals = Vec::new();
        let mut seen = HashSet::new();
        let mut columns = Vec::with_capacity(headers.len());
        for header in headers {
            match Column::parse(header) {
                Ok(Some(column)) if !seen.insert(column.clone()) => {
                    let twice = Refusal::new(Code::AlreadyTaken, &column.header());
                    refusals.push(twice.with("value", shortened(header)));
                }
                Ok(column) => columns.push(column),
                Err(refusal) => refusals.push(refusal),
            }
        }
        let key = match match_by {
            MatchBy::Sku => Column::Sku,
            MatchBy::ExternalReference => Column::ExternalReference,
        };
        if !seen.contains(&key) && refusals.is_empty() {
            refusals.push(Refusal::new(Code::Required, &key.header()));
        }
        if refusals.is_empty() {
            Ok(Self(columns))
        } else {
            Err(refusals)
        }
    }

    /// What the cells of a row say; none when they are all empty.
    ///
    /// # Errors
    /// When a cell cannot be understood, or stands where no column is.
    pub fn read(&self, cells: &[String]) -> Result<Option<Fields>, Vec<Refusal>> {
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(None);
        }
        let mut fields = Fields::default();
        let mut refusals = Vec::new();
        for (index, cell) in cells.iter().enumerate() {
            match self.0.get(index) {
                Some(Some(column)) => refusals.extend(column.fill(&mut fields, cell).err()),
                None if !cell.trim().is_empty() => refusals.push(
                    Refusal::new(Code::InvalidFormat, &format!("{}", index + 1))
                        .with("value", shortened(cell)),
                ),
                Some(None) | None => {}
            }
        }
        if refusals.is_empty() {
            Ok(Some(fields))
        } else {
            Err(refusals)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn headers_are_known_in_both_languages() {
        let english = [
            "SKU",
            "name.en",
            "Category",
            "Unit of measure",
            "attr: karat",
            "Tags",
            "",
        ];
        let persian = [
            "کد کالا",
            "name.en",
            "دسته‌بندی",
            "واحد",
            "attributes.karat",
            "برچسب‌ها",
            " ",
        ];
        let [english, persian] =
            [english, persian].map(|headers| Columns::parse(&texts(&headers), MatchBy::Sku));
        assert_eq!(english, persian);
        assert!(english.is_ok());
    }

    #[test]
    fn every_column_is_known_by_its_own_header() {
        let language = || "pt-BR".to_owned();
        for column in [
            Column::ExternalReference,
            Column::Kind,
            Column::Name(language()),
            Column::Description(language()),
            Column::CategoryReference,
            Column::Tracking,
            Column::Price,
            Column::Currency,
            Column::Attribute("a.b".into()),
            Column::AttributeJson("set".into()),
            Column::Barcodes,
            Column::Template,
        ] {
            assert_eq!(Column::parse(&column.header()), Ok(Some(column)));
        }
    }

    #[test]
    fn unknown_missing_and_repeated_columns_are_told() {
        let codes = |headers: &[&str]| {
            let refused = Columns::parse(&texts(headers), MatchBy::Sku).unwrap_err();
            refused
                .iter()
                .map(|refusal| refusal.code)
                .collect::<Vec<_>>()
        };
        assert_eq!(codes(&["sku", "colour"]), [Code::UnknownColumn]);
        assert_eq!(codes(&["sku", "کد"]), [Code::AlreadyTaken]);
        assert_eq!(codes(&["name"]), [Code::Required]);
    }

    #[test]
    fn empty_cells_say_nothing() {
        let columns = Columns::parse(&texts(&["sku", "price"]), MatchBy::Sku).unwrap();
        let read = columns.read(&texts(&["R-1", ""])).unwrap().unwrap();
        assert_eq!((read.sku.as_deref(), read.price), (Some("R-1"), None));
        assert_eq!(columns.read(&texts(&[" ", ""])), Ok(None));
        assert!(columns.read(&texts(&["R-1", "1", "2"])).is_err());
    }
}
