//! What is known of an item's metal: parsed, written and read.

use entity::{
    id::ItemId,
    item_metal::{Entity, MakingMode, Model as ItemMetal, Stone, Stones},
    metal_rate::Metal,
};
use rust_decimal::Decimal;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, QuerySelect,
};
use serde::Serialize;

use crate::{
    db::refuse_if_broken,
    decimal::within,
    error::{Code, Error, Refusal, Refusals, Result},
    fineness::Fineness,
    locale::Locale,
    patch::Patch,
    sql::{statement, uuids},
    text,
    unit_of_measure::UnitTable,
    weight::Weight,
};

/// Heaviest piece, in grams: what the columns hold.
const WEIGHT_MAX: Decimal = Decimal::from_parts(999_999_999, 0, 0, false, 0);
/// Finest weight, in grams.
const MICROGRAM: Decimal = Decimal::from_parts(1, 0, 0, false, 6);
/// Highest making charge: 18 digits.
const MAKING_MAX: Decimal = Decimal::from_parts(2_808_348_671, 232_830_643, 0, false, 0);
/// Highest making charge in percent of the metal.
const MAKING_PERCENT_MAX: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);
/// Most kinds of stones of one item.
const STONES_MAX: usize = 50;
/// Most stones of one kind.
const STONE_COUNT_MAX: i32 = 1_000_000;
/// Longest name of a kind of stone, in characters.
const STONE_KIND_MAX: usize = 50;
/// Longest number of a certificate, in characters.
const CERTIFICATE_MAX: usize = 100;

/// What somebody knows of an item's metal.
#[derive(Clone, Debug, Serialize)]
pub struct MetalDetails {
    /// Which metal.
    pub metal: Metal,
    /// As people write it: `750`, `18K`.
    pub fineness: String,
    /// Of the whole piece, as people write it: grams, or `2 tola`.
    pub gross_weight: Option<String>,
    /// Of the metal alone.
    pub net_weight: Option<String>,
    /// Of the stones alone.
    pub stone_weight: Option<String>,
    /// What its making costs.
    pub making: Option<MakingCharge>,
    /// Its stones.
    pub stones: Vec<Stone>,
    /// Hallmark id: six letters and digits.
    pub huid: Option<String>,
    /// Number of its certificate.
    pub certificate_number: Option<String>,
}

/// What the making of a piece costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MakingCharge {
    /// What it is a multiple of.
    pub mode: MakingMode,
    /// An amount in the currency of the item's pricing, or percent.
    pub value: Decimal,
}

/// The details as they are kept: valid, and of no item yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft(ItemMetal);

/// In what weights are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    pub(super) units: &'a UnitTable,
    /// In which what can mean several things is told.
    pub(super) locale: Locale,
}

impl MetalDetails {
    /// Whether a weight is written in a unit, so that the table of units is needed to read it.
    pub(super) fn names_units(&self) -> bool {
        let weights = [&self.gross_weight, &self.net_weight, &self.stone_weight];
        let mut texts = weights.into_iter().flatten();
        texts.any(|text| text.contains(char::is_alphabetic))
    }
}

/// Valid details, when nothing of them is refused.
pub(super) fn parse(
    refusals: &mut Refusals,
    details: &MetalDetails,
    reading: Reading<'_>,
) -> Option<Draft> {
    let MetalDetails {
        metal,
        fineness,
        gross_weight,
        net_weight,
        stone_weight,
        making,
        stones,
        huid,
        certificate_number,
    } = details;
    let fineness = refusals.take(Fineness::parse("metal.fineness", fineness));
    let mut weight = |path, text: &Option<String>, min| {
        let read = text
            .as_deref()
            .map(|text| read_weight(path, text, min, reading));
        refusals.take(read.transpose())
    };
    let gross = weight("metal.grossWeight", gross_weight, MICROGRAM);
    let net = weight("metal.netWeight", net_weight, MICROGRAM);
    let stone = weight("metal.stoneWeight", stone_weight, Decimal::ZERO);
    let making = refusals.take(making.map(parse_making).transpose());
    let stones = refusals.take(parse_stones(stones));
    let huid = refusals.take(huid.as_deref().map(parse_huid).transpose());
    let certificate = certificate_number
        .as_deref()
        .map(|number| text::line("metal.certificateNumber", number, 1, CERTIFICATE_MAX));
    let certificate = refusals.take(certificate.transpose());
    let (gross, net, stone, making) = (gross?, net?, stone?, making?);
    refusals.take(check_sum(gross, net, stone))?;
    Some(Draft(ItemMetal {
        item_id: ItemId(uuid::Uuid::nil()),
        metal: *metal,
        fineness: fineness?.parts_per_thousand(),
        gross_weight: gross,
        net_weight: net,
        stone_weight: stone,
        making_mode: making.map(|making| making.mode),
        making_value: making.map(|making| making.value),
        stones: stones?,
        huid: huid?,
        certificate_number: certificate?,
    }))
}

/// In grams. What is finer than a microgram in the unit in which it is written is rounded.
fn read_weight(
    path: &str,
    text: &str,
    min: Decimal,
    reading: Reading<'_>,
) -> Result<Decimal, Refusal> {
    let read = Weight::parse(path, text, reading.units, reading.locale)?;
    within(path, read.weight.grams(), (min, WEIGHT_MAX), 6)
}

/// The parts do not weigh more than the whole.
fn check_sum(
    gross: Option<Decimal>,
    net: Option<Decimal>,
    stone: Option<Decimal>,
) -> Result<(), Refusal> {
    let parts = net.unwrap_or_default() + stone.unwrap_or_default();
    match gross {
        Some(gross) if parts > gross => Err(Refusal::new(Code::OutOfRange, "metal.grossWeight")
            .with("min", parts)
            .with("max", WEIGHT_MAX)),
        Some(_) | None => Ok(()),
    }
}

fn parse_making(making: MakingCharge) -> Result<MakingCharge, Refusal> {
    let max = match making.mode {
        MakingMode::Fixed | MakingMode::PerGram => MAKING_MAX,
        MakingMode::Percent => MAKING_PERCENT_MAX,
    };
    let path = "metal.makingCharge.value";
    Ok(MakingCharge {
        mode: making.mode,
        value: within(path, making.value, (Decimal::ZERO, max), 6)?,
    })
}

fn parse_stones(stones: &[Stone]) -> Result<Stones, Refusal> {
    if stones.len() > STONES_MAX {
        return Err(Refusal::new(Code::TooMany, "metal.stones").with("max", STONES_MAX));
    }
    let parsed = stones.iter().enumerate().map(|(index, stone)| {
        let path = format!("metal.stones.{index}");
        parse_stone(&path, stone)
    });
    Ok(Stones(parsed.collect::<Result<_, _>>()?))
}

fn parse_stone(path: &str, stone: &Stone) -> Result<Stone, Refusal> {
    let Stone {
        kind,
        count,
        carat_weight,
    } = stone;
    if !(1..=STONE_COUNT_MAX).contains(count) {
        return Err(Refusal::new(Code::OutOfRange, &format!("{path}.count"))
            .with("min", 1)
            .with("max", STONE_COUNT_MAX));
    }
    Ok(Stone {
        kind: text::line(&format!("{path}.kind"), kind, 1, STONE_KIND_MAX)?,
        count: *count,
        carat_weight: carat_weight
            .map(|carats| {
                let path = format!("{path}.caratWeight");
                within(&path, carats, (MICROGRAM, WEIGHT_MAX), 6)
            })
            .transpose()?,
    })
}

/// Six letters and digits; how they are typed does not matter.
fn parse_huid(huid: &str) -> Result<String, Refusal> {
    let code = text::ascii_digits(huid.trim()).to_ascii_uppercase();
    if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Ok(code)
    } else {
        Err(Refusal::new(Code::InvalidFormat, "metal.huid").with("value", huid))
    }
}

impl From<ItemMetal> for Draft {
    /// What is kept is valid.
    fn from(row: ItemMetal) -> Self {
        Self(ItemMetal {
            item_id: ItemId(uuid::Uuid::nil()),
            ..row
        })
    }
}

impl Draft {
    /// The hallmark id.
    pub(super) fn huid(&self) -> Option<&str> {
        self.0.huid.as_deref()
    }

    /// As the item with this id has it.
    pub(super) fn of(&self, item_id: ItemId) -> ItemMetal {
        ItemMetal {
            item_id,
            ..self.0.clone()
        }
    }
}

/// Writes the details of new items, in one statement. HUIDs are written in their order, so that two who write the same ones wait for
/// each other, but never in a circle.
pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    rows: &[ItemMetal],
    path: &str,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO item_metal SELECT * FROM jsonb_populate_recordset(NULL::item_metal, $1) ORDER BY huid";
    let inserted = tx
        .execute_raw(statement(sql, [serde_json::to_value(rows)?.into()]))
        .await;
    inserted.map_err(|error| taken(error, rows, path))?;
    Ok(())
}

fn taken(error: DbErr, rows: &[ItemMetal], path: &str) -> Error {
    let refusal = Refusal::new(Code::AlreadyTaken, path);
    // Of several nobody knows which one it was.
    let refusal = match rows {
        [row] => refusal.with("value", row.huid.as_deref().unwrap_or_default()),
        _ => refusal,
    };
    refuse_if_broken(error, &[("item_metal_huid_unique", refusal)])
}

/// Changes the details of an item that is locked; how they were and how they are. Nothing is read when nothing changes.
pub(super) async fn patch_in_tx(
    tx: &DatabaseTransaction,
    id: ItemId,
    patch: &Patch<Draft>,
) -> Result<(Option<ItemMetal>, Option<ItemMetal>)> {
    let after = match patch {
        Patch::Keep => return Ok((None, None)),
        Patch::Clear => None,
        Patch::Set(draft) => Some(draft.of(id)),
    };
    let before = Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    if before.is_some() {
        Entity::delete_by_id(id).exec(tx).await?;
    }
    insert_in_tx(tx, after.as_slice(), "metal.huid").await?;
    Ok((before, after))
}

/// The details of these items, of those that have any.
pub(crate) async fn of_items(db: &impl ConnectionTrait, ids: &[ItemId]) -> Result<Vec<ItemMetal>> {
    let sql = "SELECT * FROM item_metal WHERE item_id = ANY($1)";
    Ok(ItemMetal::find_by_statement(statement(sql, [uuids(ids)]))
        .all(db)
        .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details() -> MetalDetails {
        MetalDetails {
            metal: Metal::Gold,
            fineness: "۱۸ عیار".to_owned(),
            gross_weight: Some("5.200000".to_owned()),
            net_weight: Some("۴٫۸".to_owned()),
            stone_weight: Some("0.4".to_owned()),
            making: None,
            stones: Vec::new(),
            huid: Some(" ab12۳c ".to_owned()),
            certificate_number: None,
        }
    }

    fn read(refusals: &mut Refusals, details: &MetalDetails) -> Option<Draft> {
        let units = &UnitTable::default();
        let locale = Locale::En;
        parse(refusals, details, Reading { units, locale })
    }

    fn refusals(change: impl FnOnce(&mut MetalDetails)) -> Vec<(Code, String)> {
        let mut details = details();
        change(&mut details);
        let mut refusals = Refusals::default();
        let draft = read(&mut refusals, &details);
        match refusals.into_result(draft) {
            Err(Error::Refused(refused)) => refused
                .into_iter()
                .map(|refusal| (refusal.code, refusal.path.join(".")))
                .collect(),
            Ok(_) | Err(_) => Vec::new(),
        }
    }

    #[test]
    fn details_are_kept_in_one_form() {
        let kept = read(&mut Refusals::default(), &details())
            .unwrap()
            .of(ItemId(uuid::Uuid::nil()));
        assert_eq!(kept.huid.as_deref(), Some("AB123C"));
        assert_eq!(kept.fineness, Decimal::from(750));
        assert_eq!(
            kept.gross_weight.map(|grams| grams.to_string()).as_deref(),
            Some("5.2")
        );
    }

    #[test]
    fn the_parts_weigh_no_more_than_the_whole() {
        let a_microgram_more = Some("4.800001".to_owned());
        let refused = refusals(|details| details.net_weight = a_microgram_more);
        assert_eq!(
            refused,
            [(Code::OutOfRange, "metal.grossWeight".to_owned())]
        );
        let refused = refusals(|details| details.gross_weight = None);
        assert_eq!(refused, []);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let refused = refusals(|details| {
            details.fineness = "1001".to_owned();
            details.gross_weight = Some("1 stone".to_owned());
            details.net_weight = Some("0.0000001".to_owned());
            details.stone_weight = Some("-1".to_owned());
            details.making = Some(MakingCharge {
                mode: MakingMode::Percent,
                value: Decimal::from(10_001),
            });
            details.stones = vec![Stone {
                kind: "ruby".to_owned(),
                count: 0,
                carat_weight: None,
            }];
            details.huid = Some("AB12C".to_owned());
            details.certificate_number = Some(" ".to_owned());
        });
        let expected = [
            (Code::OutOfRange, "metal.fineness"),
            (Code::UnknownUnit, "metal.grossWeight"),
            (Code::OutOfRange, "metal.netWeight"),
            (Code::OutOfRange, "metal.stoneWeight"),
            (Code::OutOfRange, "metal.makingCharge.value"),
            (Code::OutOfRange, "metal.stones.0.count"),
            (Code::InvalidFormat, "metal.huid"),
            (Code::Required, "metal.certificateNumber"),
        ];
        assert_eq!(
            refused,
            expected.map(|(code, path)| (code, path.to_owned()))
        );
    }

    #[test]
    fn the_highest_making_charge_has_eighteen_digits() {
        assert_eq!(MAKING_MAX.to_string(), "999999999999999999");
    }
}
