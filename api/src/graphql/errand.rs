//! What goldshop can be told to do at any time, by hand or by a schedule.

use async_graphql::Enum;

/// What can be done at any time: by hand (`jobEnqueue`), or by a schedule.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::errand::Errand")]
pub enum Errand {
    /// Makes a backup, as `backupCreate` does. One that is being made already will do. By hand it needs `backup.manage`.
    CreateBackup,
    /// Fetches rates of metals from the source that the worker's settings name, and records those that are new. By hand it needs
    /// `pricing.write`.
    FetchMetalRates,
    /// Does nothing: that it is done tells that jobs are handed over and done.
    ProbeQueue,
    /// Proves that what stock has cost is the sum of its costs, as `stockReconcile` of `COSTS` does. By hand it needs `stock.read`.
    ReconcileCosts,
    /// Proves that levels of stock are the sums of movements, as `stockReconcile` of `LEVELS` does. By hand it needs `stock.read`.
    ReconcileLevels,
    /// Proves that days and weeks of stock are the sums of movements, as `stockReconcile` of `SERIES` does. By hand it needs `stock.read`.
    ReconcileSeries,
    /// Renders all pictures anew, as `itemImagesRegenerate` does. What is being done already will do.
    RegenerateImages,
    /// Draws an item's QR code again. Only by hand, where it needs `catalogue.write`: a schedule knows of no item.
    RenderCode,
    /// Clears up what is old, as `retentionRun` does. By hand it needs `retention.manage`.
    Retention,
    /// Proves that the newest backup can be restored, as `backupVerify` does; fails where there is none. By hand it needs `backup.manage`.
    VerifyBackup,
    /// Proves that the books are what their lines make them, as `ledgerVerify` does. By hand it needs `books.manage`.
    VerifyLedger,
    /// Proves that nothing was changed behind the trail's back, as `auditVerify` does. By hand it needs `audit.read`.
    VerifyTrail,
}
