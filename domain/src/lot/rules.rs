//! What lots may be like.

use chrono::NaiveDate;
use entity::lot::{Kind, Model as Lot, State};
use rust_decimal::Decimal;

use super::{LotChange, LotDetails, LotFilter};
use crate::{
    error::{Code, Refusal, Refusals, Result},
    filter::{CONDITIONS_MAX, TextFilter, check_text},
    fineness::Fineness,
    locale::Locale,
    patch::Patch,
    text,
    unit_of_measure::UnitTable,
    weight::Weight,
};

/// Longest number of a lot or a certificate, in characters.
const NUMBER_MAX: usize = 100;
/// Heaviest piece, in grams: what the columns hold.
const WEIGHT_MAX: Decimal = Decimal::from_parts(999_999_999, 0, 0, false, 0);
/// Finest weight, in grams.
const MICROGRAM: Decimal = Decimal::from_parts(1, 0, 0, false, 6);

/// A lot as it is to be kept: valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) number: String,
    pub(crate) expires_on: Option<NaiveDate>,
    pub(crate) fineness: Option<Decimal>,
    pub(crate) gross_weight: Option<Decimal>,
    pub(crate) net_weight: Option<Decimal>,
    pub(crate) unit_cost: Option<Decimal>,
    pub(crate) huid: Option<String>,
    pub(crate) certificate_number: Option<String>,
}

impl Draft {
    /// A lot of which only the number is known.
    pub(crate) fn of_number(number: String) -> Self {
        Self {
            number,
            expires_on: None,
            fineness: None,
            gross_weight: None,
            net_weight: None,
            unit_cost: None,
            huid: None,
            certificate_number: None,
        }
    }

    /// The first field in which the lot that there is says something else.
    pub(super) fn differs_from(&self, lot: &Lot) -> Option<&'static str> {
        fn other<T: PartialEq>(said: Option<&T>, known: Option<&T>) -> bool {
            said.is_some() && said != known
        }
        let Self {
            number: _,
            expires_on,
            fineness,
            gross_weight,
            net_weight,
            unit_cost: _,
            huid,
            certificate_number,
        } = self;
        let fields = [
            (
                other(expires_on.as_ref(), lot.expires_on.as_ref()),
                "expiresOn",
            ),
            (other(fineness.as_ref(), lot.fineness.as_ref()), "fineness"),
            (
                other(gross_weight.as_ref(), lot.gross_weight.as_ref()),
                "grossWeight",
            ),
            (
                other(net_weight.as_ref(), lot.net_weight.as_ref()),
                "netWeight",
            ),
            (other(huid.as_ref(), lot.huid.as_ref()), "huid"),
            (
                other(certificate_number.as_ref(), lot.certificate_number.as_ref()),
                "certificateNumber",
            ),
        ];
        let mut different = fields.into_iter().filter(|(differs, _)| *differs);
        different.next().map(|(_, field)| field)
    }
}

/// A lot or serial number: upper case, as it is compared.
pub(crate) fn parse_number(path: &str, number: &str) -> Result<String, Refusal> {
    let number = text::line(path, number, 1, NUMBER_MAX)?.to_uppercase();
    if number.chars().count() > NUMBER_MAX {
        return Err(Refusal::new(Code::TooLong, path).with("max", NUMBER_MAX));
    }
    if number.contains(['\n', '\r', '\t']) {
        return Err(Refusal::new(Code::InvalidFormat, path));
    }
    Ok(number)
}

/// A lot, when nothing of it is refused. The path is the lot's.
pub(crate) fn parse(
    refusals: &mut Refusals,
    path: &str,
    number: &str,
    details: &LotDetails,
    (units, locale): (&UnitTable, Locale),
) -> Option<Draft> {
    let LotDetails {
        expires_on,
        fineness,
        gross_weight,
        net_weight,
        huid,
        certificate_number,
    } = details;
    let at = |field: &str| format!("{path}.{field}");
    let number = refusals.take(parse_number(&at("number"), number));
    let fineness = fineness
        .as_deref()
        .map(|text| Fineness::parse(&at("fineness"), text));
    let fineness = refusals.take(fineness.transpose());
    let mut weight = |field: &str, text: &Option<String>| {
        let read = text
            .as_deref()
            .map(|text| parse_weight(&at(field), text, units, locale));
        refusals.take(read.transpose())
    };
    let gross = weight("grossWeight", gross_weight);
    let net = weight("netWeight", net_weight);
    let huid = huid.as_deref().map(|huid| parse_huid(&at("huid"), huid));
    let huid = refusals.take(huid.transpose());
    let certificate = certificate_number
        .as_deref()
        .map(|number| text::line(&at("certificateNumber"), number, 1, NUMBER_MAX));
    let certificate = refusals.take(certificate.transpose());
    let (gross_weight, net_weight) = (gross?, net?);
    if let (Some(gross), Some(net)) = (gross_weight, net_weight)
        && net > gross
    {
        refusals.push(
            Refusal::new(Code::OutOfRange, &at("netWeight"))
                .with("min", MICROGRAM)
                .with("max", gross),
        );
    }
    Some(Draft {
        number: number?,
        expires_on: *expires_on,
        fineness: fineness?.map(Fineness::parts_per_thousand),
        gross_weight,
        net_weight,
        unit_cost: None,
        huid: huid?,
        certificate_number: certificate?,
    })
}

/// Grams of something that weighs something.
fn parse_weight(
    path: &str,
    text: &str,
    units: &UnitTable,
    locale: Locale,
) -> Result<Decimal, Refusal> {
    let grams = Weight::parse(path, text, units, locale)?.weight.grams();
    crate::decimal::within(path, grams, (MICROGRAM, WEIGHT_MAX), 6)
}

/// Six letters and digits, upper case.
fn parse_huid(path: &str, huid: &str) -> Result<String, Refusal> {
    let huid = huid.trim().to_uppercase();
    let is_huid = huid.len() == 6 && huid.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_huid {
        Ok(huid)
    } else {
        Err(Refusal::new(Code::InvalidFormat, path).with("value", huid))
    }
}

/// A change of a lot: valid.
#[derive(Clone, Debug)]
pub(super) struct ParsedChange {
    pub(super) expires_on: Patch<NaiveDate>,
    pub(super) certificate_number: Patch<String>,
    pub(super) huid: Patch<String>,
    pub(super) state: Option<State>,
}

pub(super) fn parse_change(change: &LotChange) -> Result<ParsedChange> {
    let LotChange {
        expires_on,
        certificate_number,
        huid,
        state,
    } = change;
    let mut refusals = Refusals::default();
    let certificate = certificate_number
        .clone()
        .try_map(|number| text::line("certificateNumber", &number, 1, NUMBER_MAX));
    let certificate = refusals.take(certificate);
    let huid = refusals.take(huid.clone().try_map(|huid| parse_huid("huid", &huid)));
    let parsed = certificate
        .zip(huid)
        .map(|(certificate, huid)| ParsedChange {
            expires_on: *expires_on,
            certificate_number: certificate,
            huid,
            state: *state,
        });
    refusals.into_result(parsed)
}

/// Only a single piece has a hallmark id.
pub(super) fn check_change(lot: &Lot, change: &ParsedChange) -> Result<(), Refusal> {
    match (&change.huid, lot.kind) {
        (Patch::Set(_), Kind::Lot) => Err(Refusal::new(Code::SerialsOnly, "huid")),
        _ => Ok(()),
    }
}

/// Bounds what a client can make us compare.
pub(super) fn check_filter(filter: &LotFilter) -> Result<(), Refusal> {
    let LotFilter {
        item_ids,
        number,
        huid,
        expires_until: _,
        expires_from: _,
        state: _,
        in_stock: _,
    } = filter;
    let conditions =
        item_ids.as_ref().map_or(0, Vec::len) + number.as_ref().map_or(0, TextFilter::size);
    if conditions > CONDITIONS_MAX {
        return Err(Refusal::new(Code::TooMany, "where").with("max", CONDITIONS_MAX));
    }
    huid.as_deref().map_or(Ok(()), check_text)?;
    number.as_ref().map_or(Ok(()), TextFilter::check)
}
