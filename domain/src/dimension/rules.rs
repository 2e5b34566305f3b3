//! Decisions about values of dimensions that need nothing but their arguments.

use entity::translations::Translations;

use super::{DimensionValueChange, DimensionValueFilter, NewDimensionValue};
use crate::{
    error::{Code, Refusal, Refusals, Result},
    filter::{CONDITIONS_MAX, TextFilter, check_text},
    patch::Patch,
    sku, text,
};

/// What a value is called, valid.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) code: String,
    pub(super) name: Translations,
    pub(super) external_reference: Option<String>,
}

/// A change of that, valid.
#[derive(Clone, Debug)]
pub(super) struct FactsChange {
    pub(super) code: Option<String>,
    pub(super) name: Option<Translations>,
    pub(super) external_reference: Patch<String>,
}

pub(super) fn parse_new(new: &NewDimensionValue) -> Result<Facts> {
    let NewDimensionValue {
        kind: _,
        code,
        name,
        external_reference,
    } = new;
    let mut refusals = Refusals::default();
    let code = refusals.take(sku::parse("code", code));
    let name = text::take_all(&mut refusals, text::name("name", name));
    let reference = external_reference.as_deref().map(text::external_reference);
    let reference = refusals.take(reference.transpose());
    let parsed = (|| {
        Some(Facts {
            code: code?,
            name: name?,
            external_reference: reference?,
        })
    })();
    refusals.into_result(parsed)
}

pub(super) fn parse_change(change: &DimensionValueChange) -> Result<FactsChange> {
    let DimensionValueChange {
        code,
        name,
        external_reference,
    } = change.clone();
    let mut refusals = Refusals::default();
    let code = refusals.take(code.map(|code| sku::parse("code", &code)).transpose());
    let name = name.map(|name| text::name("name", &name)).transpose();
    let name = text::take_all(&mut refusals, name);
    let reference = external_reference.try_map(|text| text::external_reference(&text));
    let reference = refusals.take(reference);
    let parsed = (|| {
        Some(FactsChange {
            code: code?,
            name: name?,
            external_reference: reference?,
        })
    })();
    refusals.into_result(parsed)
}

/// Bounds what a client can make us compare.
pub(super) fn check_filter(filter: &DimensionValueFilter) -> Result<(), Refusal> {
    let DimensionValueFilter {
        kind_in,
        code,
        name_contains,
        external_reference,
        include_archived: _,
    } = filter;
    let conditions =
        kind_in.as_ref().map_or(0, Vec::len) + code.as_ref().map_or(0, TextFilter::size);
    if conditions > CONDITIONS_MAX {
        return Err(Refusal::new(Code::TooMany, "where").with("max", CONDITIONS_MAX));
    }
    for text in [name_contains, external_reference].into_iter().flatten() {
        check_text(text)?;
    }
    code.iter().try_for_each(TextFilter::check)
}
