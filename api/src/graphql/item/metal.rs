//! What is known of an item's metal and stones, as clients say it and as they see it.

use async_graphql::{Enum, InputObject, SimpleObject};
use domain::item::{ItemMetal as Row, MakingCharge as Charge, MetalDetails, Stone};

use crate::graphql::{decimal::Decimal, metal_rate::Metal};

/// What a making charge is a multiple of.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::item::MakingMode")]
pub enum MakingChargeMode {
    /// An amount for each piece.
    Fixed,
    /// An amount for each gram of net weight.
    PerGram,
    /// Percent of the value of the metal.
    Percent,
}

/// What the making of a piece costs.
#[derive(SimpleObject, InputObject, Clone, Copy, Debug)]
#[graphql(input_name = "MakingChargeInput")]
pub struct MakingCharge {
    /// What it is a multiple of.
    mode: MakingChargeMode,
    /// An amount in the currency of the item's pricing, or percent. At most six digits behind the point.
    value: Decimal,
}

/// Stones of one kind.
#[derive(SimpleObject, InputObject, Clone, Debug)]
#[graphql(input_name = "ItemStoneInput")]
pub struct ItemStone {
    /// Such as `diamond`; at most 50 characters.
    kind: String,
    /// How many.
    count: i32,
    /// What all of them weigh together, in metric carats of 0.2 g; none when nobody has weighed them.
    carat_weight: Option<Decimal>,
}

/// What is known of an item's metal. Weights are grams, with at most six digits behind the point.
#[derive(SimpleObject)]
pub struct ItemMetal {
    /// Which metal.
    metal: Metal,
    /// Its fineness, in parts per thousand: 750 is 18 karat.
    fineness: Decimal,
    /// Weight of the whole piece, in grams.
    gross_weight: Option<Decimal>,
    /// Weight of the metal alone, in grams: what weight-based prices go by.
    net_weight: Option<Decimal>,
    /// Weight of the stones alone, in grams.
    stone_weight: Option<Decimal>,
    /// What its making costs.
    making_charge: Option<MakingCharge>,
    /// Its stones.
    stones: Vec<ItemStone>,
    /// Hallmark id: six letters and digits, unique.
    huid: Option<String>,
    /// Number of its certificate.
    certificate_number: Option<String>,
}

/// All that is known of an item's metal; what is not given is not known. Weights are as people write them, such as `"4.8"` (grams) or
/// `"2 tola"`, rounded to a microgram; see `weightParse`. Net and stone weight together are no more than the gross weight.
#[derive(InputObject)]
pub struct ItemMetalInput {
    /// Which metal.
    metal: Metal,
    /// Its fineness, as people write it: `"750"`, `"18K"`, `"۱۸ عیار"`, `"75%"`; see `finenessParse`.
    fineness: String,
    /// Weight of the whole piece.
    gross_weight: Option<String>,
    /// Weight of the metal alone: what weight-based prices go by.
    net_weight: Option<String>,
    /// Weight of the stones alone.
    stone_weight: Option<String>,
    /// What its making costs.
    making_charge: Option<MakingCharge>,
    /// Its stones, at most 50 kinds.
    #[graphql(default)]
    stones: Vec<ItemStone>,
    /// Hallmark id: six letters and digits, unique.
    huid: Option<String>,
    /// Number of its certificate.
    certificate_number: Option<String>,
}

impl ItemMetal {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            item_id: _,
            metal,
            fineness,
            gross_weight,
            net_weight,
            stone_weight,
            making_mode,
            making_value,
            stones,
            huid,
            certificate_number,
        } = row;
        let making_charge = making_mode
            .zip(making_value)
            .map(|(mode, value)| MakingCharge {
                mode: mode.into(),
                value: shown(value),
            });
        Self {
            metal: metal.into(),
            fineness: shown(fineness),
            gross_weight: gross_weight.map(shown),
            net_weight: net_weight.map(shown),
            stone_weight: stone_weight.map(shown),
            making_charge,
            stones: stones.0.into_iter().map(ItemStone::new).collect(),
            huid,
            certificate_number,
        }
    }
}

impl ItemStone {
    fn new(stone: Stone) -> Self {
        let Stone {
            kind,
            count,
            carat_weight,
        } = stone;
        Self {
            kind,
            count,
            carat_weight: carat_weight.map(shown),
        }
    }

    fn parse(self) -> Stone {
        let Self {
            kind,
            count,
            carat_weight,
        } = self;
        Stone {
            kind,
            count,
            carat_weight: carat_weight.map(|weight| weight.0),
        }
    }
}

/// Trailing zeros are the column's, not the number's.
fn shown(decimal: rust_decimal::Decimal) -> Decimal {
    Decimal(decimal.normalize())
}

impl From<ItemMetalInput> for MetalDetails {
    fn from(input: ItemMetalInput) -> Self {
        let ItemMetalInput {
            metal,
            fineness,
            gross_weight,
            net_weight,
            stone_weight,
            making_charge,
            stones,
            huid,
            certificate_number,
        } = input;
        Self {
            metal: metal.into(),
            fineness,
            gross_weight,
            net_weight,
            stone_weight,
            making: making_charge.map(|MakingCharge { mode, value }| Charge {
                mode: mode.into(),
                value: value.0,
            }),
            stones: stones.into_iter().map(ItemStone::parse).collect(),
            huid,
            certificate_number,
        }
    }
}
