//! What goldshop can be told to do at any time, by an operator or by a schedule. This is the one list of it.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// What is to be done. Its name in the database is also the one in JSON, and stays as it is for ever.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Errand {
    /// A backup is made.
    #[sea_orm(string_value = "backup.create")]
    #[serde(rename = "backup.create", alias = "create_backup")]
    CreateBackup,
    /// Rates of metals are fetched.
    #[sea_orm(string_value = "metal_rate.fetch")]
    #[serde(rename = "metal_rate.fetch", alias = "fetch_metal_rates")]
    FetchMetalRates,
    /// Nothing is done: that it is done tells that queues are at work.
    #[sea_orm(string_value = "queue.probe")]
    #[serde(rename = "queue.probe")]
    ProbeQueue,
    /// What stock has cost is proved to be the sum of its costs.
    #[sea_orm(string_value = "stock.reconcile_costs")]
    #[serde(rename = "stock.reconcile_costs", alias = "reconcile_costs")]
    ReconcileCosts,
    /// Levels of stock are proved to be the sums of movements.
    #[sea_orm(string_value = "stock.reconcile_levels")]
    #[serde(rename = "stock.reconcile_levels", alias = "reconcile_levels")]
    ReconcileLevels,
    /// Days and weeks of stock are proved to be the sums of movements.
    #[sea_orm(string_value = "stock.reconcile_series")]
    #[serde(rename = "stock.reconcile_series", alias = "reconcile_series")]
    ReconcileSeries,
    /// All pictures are rendered anew.
    #[sea_orm(string_value = "images.regenerate")]
    #[serde(rename = "images.regenerate")]
    RegenerateImages,
    /// An item's QR code is drawn again.
    #[sea_orm(string_value = "item.render_code")]
    #[serde(rename = "item.render_code")]
    RenderCode,
    /// What is old is cleared up.
    #[sea_orm(string_value = "retention.run")]
    #[serde(rename = "retention.run", alias = "retention")]
    Retention,
    /// The newest backup is proved.
    #[sea_orm(string_value = "backup.verify")]
    #[serde(rename = "backup.verify", alias = "verify_backup")]
    VerifyBackup,
    /// The books are proved to be what their lines make them.
    #[sea_orm(string_value = "ledger.verify")]
    #[serde(rename = "ledger.verify")]
    VerifyLedger,
    /// It is proved that nothing was changed behind the trail's back.
    #[sea_orm(string_value = "trail.verify")]
    #[serde(rename = "trail.verify", alias = "verify_trail")]
    VerifyTrail,
}
