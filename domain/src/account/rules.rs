//! Decisions about the chart of accounts that need nothing but their arguments.

use entity::{
    account::{Kind, Model as Account, Side},
    dimension_value::Kind as DimensionKind,
    translations::Translations,
};

use super::{AccountChange, AccountFilter, NewAccount};
use crate::{
    error::{Code, Refusal, Refusals, Result},
    filter::{CONDITIONS_MAX, TextFilter},
    patch::Patch,
    sku, text,
};

/// Longest code of a commodity.
const COMMODITY_MAX: usize = 24;

/// What an account is, valid.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) code: String,
    pub(super) name: Translations,
    pub(super) is_group: bool,
    /// Its kind's without.
    pub(super) normal_side: Option<Side>,
    pub(super) commodity: Option<String>,
    pub(super) external_reference: Option<String>,
    pub(super) subsidiary_kind: Option<DimensionKind>,
}

/// A change of that, valid.
#[derive(Clone, Debug, Default)]
pub(super) struct FactsChange {
    pub(super) code: Option<String>,
    pub(super) name: Option<Translations>,
    pub(super) normal_side: Option<Side>,
    pub(super) commodity: Patch<String>,
    pub(super) external_reference: Patch<String>,
    pub(super) subsidiary_kind: Patch<DimensionKind>,
}

pub(super) fn parse_new(new: &NewAccount) -> Result<Facts> {
    let NewAccount {
        parent_id: _,
        kind: _,
        code,
        name,
        is_group,
        normal_side,
        commodity,
        external_reference,
        subsidiary_kind,
    } = new;
    let mut refusals = Refusals::default();
    let code = refusals.take(sku::parse("code", code));
    let name = text::take_all(&mut refusals, text::name("name", name));
    let commodity = refusals.take(
        commodity
            .as_deref()
            .map(|code| parse_commodity("commodity", code))
            .transpose(),
    );
    if *is_group && matches!(commodity, Some(Some(_))) {
        refusals.push(Refusal::new(Code::AccountIsGroup, "commodity"));
    }
    if *is_group && subsidiary_kind.is_some() {
        refusals.push(Refusal::new(Code::AccountIsGroup, "subsidiaryKind"));
    }
    let subsidiaries = refusals.take(subsidiary_kind.map(parse_subsidiaries).transpose());
    let reference = refusals.take(
        external_reference
            .as_deref()
            .map(text::external_reference)
            .transpose(),
    );
    let parsed = (|| {
        Some(Facts {
            code: code?,
            name: name?,
            is_group: *is_group,
            normal_side: *normal_side,
            commodity: commodity?,
            external_reference: reference?,
            subsidiary_kind: subsidiaries?,
        })
    })();
    refusals.into_result(parsed)
}

/// Cost centres and projects are no subsidiary accounts: any line may name one.
fn parse_subsidiaries(kind: DimensionKind) -> Result<DimensionKind, Refusal> {
    if kind.is_subsidiary() {
        return Ok(kind);
    }
    Err(Refusal::new(Code::WrongDimension, "subsidiaryKind").with("expected", "other"))
}

pub(super) fn parse_change(change: &AccountChange) -> Result<FactsChange> {
    let AccountChange {
        code,
        name,
        normal_side,
        commodity,
        external_reference,
        subsidiary_kind,
    } = change.clone();
    let mut refusals = Refusals::default();
    let code = refusals.take(code.map(|code| sku::parse("code", &code)).transpose());
    let name = text::take_all(
        &mut refusals,
        name.map(|name| text::name("name", &name)).transpose(),
    );
    let commodity = refusals.take(commodity.try_map(|code| parse_commodity("commodity", &code)));
    let reference =
        refusals.take(external_reference.try_map(|reference| text::external_reference(&reference)));
    let subsidiaries = refusals.take(subsidiary_kind.try_map(parse_subsidiaries));
    let parsed = (|| {
        Some(FactsChange {
            code: code?,
            name: name?,
            normal_side,
            commodity: commodity?,
            external_reference: reference?,
            subsidiary_kind: subsidiaries?,
        })
    })();
    refusals.into_result(parsed)
}

/// The code of a commodity, whatever the case; whether there is one such is for the database to say.
pub(crate) fn parse_commodity(path: &str, text: &str) -> Result<String, Refusal> {
    let code = text.trim().to_ascii_uppercase();
    let is_inside =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let fits = (2..=COMMODITY_MAX).contains(&code.len())
        && code.starts_with(|first: char| first.is_ascii_uppercase())
        && code.ends_with(|last: char| last.is_ascii_alphanumeric())
        && code.bytes().all(is_inside);
    if fits {
        Ok(code)
    } else {
        Err(Refusal::new(Code::UnknownCommodity, path).with("value", text))
    }
}

/// A group has no commodity, and no subsidiary accounts.
pub(super) fn check_change(account: &Account, change: &FactsChange) -> Result<(), Refusal> {
    if account.is_group && matches!(change.commodity, Patch::Set(_)) {
        return Err(Refusal::new(Code::AccountIsGroup, "commodity"));
    }
    if account.is_group && matches!(change.subsidiary_kind, Patch::Set(_)) {
        return Err(Refusal::new(Code::AccountIsGroup, "subsidiaryKind"));
    }
    Ok(())
}

/// What an account is about: it is said of roots, and the same of all that is below them.
pub(super) fn kind_below(kind: Option<Kind>, parent: Option<&Account>) -> Result<Kind, Refusal> {
    match (kind, parent) {
        (Some(kind), None) => Ok(kind),
        (None, Some(parent)) => Ok(parent.kind),
        (None, None) => Err(Refusal::new(Code::Required, "kind")),
        (Some(_), Some(_)) => Err(Refusal::new(Code::Exclusive, "kind").with("other", "parentId")),
    }
}

/// Nothing is put below what is archived.
pub(super) fn check_open(path: &str, account: &Account) -> Result<(), Refusal> {
    if account.archived_at.is_some() {
        return Err(Refusal::new(Code::Archived, path));
    }
    Ok(())
}

/// Only groups hold accounts.
pub(super) fn check_group(account: &Account) -> Result<(), Refusal> {
    if account.is_group {
        Ok(())
    } else {
        Err(Refusal::new(Code::NotAGroup, "parentId").with("value", &account.code))
    }
}

/// Bounds what a client can make us compare.
pub(super) fn check_filter(filter: &AccountFilter) -> Result<(), Refusal> {
    let AccountFilter {
        kind_in,
        is_group: _,
        parent_id: _,
        descendant_of: _,
        code,
        include_archived: _,
    } = filter;
    let conditions =
        kind_in.as_ref().map_or(0, Vec::len) + code.as_ref().map_or(0, TextFilter::size);
    if conditions > CONDITIONS_MAX {
        return Err(Refusal::new(Code::TooMany, "where").with("max", CONDITIONS_MAX));
    }
    code.iter().try_for_each(TextFilter::check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commodities_are_written_in_capitals_and_nothing_else() {
        let code = |text| parse_commodity("commodity", text).ok();
        assert_eq!(code(" irr ").as_deref(), Some("IRR"));
        assert_eq!(code("Gold").as_deref(), Some("GOLD"));
        assert_eq!(code("brk.b").as_deref(), Some("BRK.B"));
        for wrong in [
            "",
            "I",
            "ریال",
            "I R",
            "1XAU",
            "XAU-",
            "ABCDEFGHIJKLMNOPQRSTUVWXY",
        ] {
            assert_eq!(code(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_kind_is_said_of_roots_and_of_nothing_else() {
        assert_eq!(kind_below(Some(Kind::Asset), None), Ok(Kind::Asset));
        assert!(kind_below(None, None).is_err_and(|refusal| refusal.code == Code::Required));
    }
}
