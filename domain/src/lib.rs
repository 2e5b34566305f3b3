#![doc = include_str!("../README.md")]

pub mod account;
pub mod attribute;
pub mod audit;
pub mod backup;
pub mod barcode;
pub mod category;
pub mod clock;
pub mod code_batch;
pub mod cost;
pub mod count;
pub mod currency;
pub mod db;
mod decimal;
pub mod dimension;
pub mod errand;
pub mod error;
pub mod event;
pub mod exact;
pub mod exchange_rate;
pub mod figures;
pub mod filter;
pub mod fineness;
pub mod history;
pub mod idempotency;
pub mod item;
pub mod item_export;
pub mod item_import;
pub mod job;
pub mod journal;
pub mod journal_import;
pub mod keyset;
pub mod label;
pub mod landed_cost;
pub mod locale;
pub mod location;
pub mod lot;
pub mod metal_rate;
pub mod money;
mod notify;
pub mod observe;
pub mod page;
pub mod patch;
pub mod period;
pub mod permission;
mod plan;
pub mod pricing;
mod reads;
pub mod replica;
pub mod report;
pub mod report_export;
pub mod reservation;
pub mod retention;
pub mod saved_view;
pub mod scan;
pub mod schedule;
pub mod series;
pub mod shop;
pub mod sku;
mod sql;
pub mod stock;
pub mod stock_account;
pub mod text;
pub mod trail;
pub mod transfer;
mod tree;
pub mod unit_of_measure;
pub mod user;
mod version;
pub mod viewer;
pub mod wake;
pub mod weight;
mod written;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction};

use crate::{
    clock::Clock,
    replica::{Position, Replicas, Standing, Way},
    sql::statement,
};
pub use crate::{
    error::{Code, Error, Refusal, Result},
    permission::{Permission, Permissions},
    viewer::{Identity, Viewer},
};

/// Everything goldshop can do. Cheap to clone; the connection inside is private, so that nobody goes round the rules.
#[derive(Clone, Debug)]
pub struct Domain {
    db: db::Db,
    reads: reads::Reads,
    replicas: Option<Arc<Replicas>>,
    settings: Arc<db::Settings>,
    notifier: notify::Notifier,
    clock: Arc<dyn Clock>,
}

impl Domain {
    /// Opens the connection pool. The database may still be unreachable: then the first use says so. Needs a Tokio runtime.
    ///
    /// # Errors
    /// When the URL cannot be understood.
    pub fn connect(settings: db::Settings, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::connect_observed(settings, clock, &observe::Observer::default())
    }

    /// The same, with somebody who is told of each statement.
    ///
    /// # Errors
    /// As [`Domain::connect`].
    pub fn connect_observed(
        settings: db::Settings,
        clock: Arc<dyn Clock>,
        observer: &observe::Observer,
    ) -> Result<Self> {
        let db = db::Db::new(&settings, observer)?;
        Ok(Self {
            notifier: notify::Notifier::start(db.clone()),
            db,
            reads: reads::Reads::new(&settings, observer)?,
            replicas: Replicas::watched(&settings, observer)?,
            settings: Arc::new(settings),
            clock,
        })
    }

    /// How the pools of connections to the primary stand. Nothing is asked of PostgreSQL for it.
    #[must_use]
    pub fn pools(&self) -> [observe::PoolStanding; 2] {
        [self.reads.standing(), self.db.standing()]
    }

    /// The figures of the shop as a whole, for those who look after it.
    #[must_use]
    pub fn figures(&self) -> figures::Figures<'_> {
        figures::Figures { domain: self }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.db.ping().await?)
    }

    /// Whether the database has had every migration that this program was built with. It may have had more.
    ///
    /// # Errors
    /// When it does not answer, or has never been migrated.
    pub async fn is_migrated(&self) -> Result<bool> {
        history::is_up_to_date(&self.db).await
    }

    /// Closes all connections, also those of its clones: for whoever is about to drop the database.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(self) -> Result<()> {
        Ok(self.db.close().await?)
    }

    /// Whether there are replicas that queries may be read from.
    #[must_use]
    pub fn has_replicas(&self) -> bool {
        self.replicas.is_some()
    }

    /// How the replicas stand, in the order of the settings.
    #[must_use]
    pub fn replicas(&self) -> Vec<Standing> {
        let replicas = self.replicas.as_ref();
        replicas
            .map(|replicas| replicas.standings())
            .unwrap_or_default()
    }

    /// Behind all that has been committed by now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn position(&self) -> Result<Position> {
        let sql = "SELECT pg_current_wal_insert_lsn()::text AS position";
        let row = self.db.query_one_raw(statement(sql, [])).await?;
        let text: Option<String> = row.map(|row| row.try_get("", "position")).transpose()?;
        let position = text.as_deref().and_then(Position::of_postgres);
        position.ok_or_else(|| Error::internal("the database does not say where it is"))
    }

    /// The same for the queries of one request: they may be read from a replica that has got as far as this.
    #[must_use]
    pub fn reading_after(&self, position: Position) -> Self {
        match &self.replicas {
            Some(replicas) => Self {
                reads: self.reads.on(Way::new(Arc::clone(replicas), position)),
                ..self.clone()
            },
            None => self.clone(),
        }
    }

    /// The chart of accounts, and commodities: their use cases and queries.
    #[must_use]
    pub fn accounts(&self) -> account::Accounts<'_> {
        account::Accounts { domain: self }
    }

    /// Attributes: their use cases and queries.
    #[must_use]
    pub fn attributes(&self) -> attribute::Attributes<'_> {
        attribute::Attributes { domain: self }
    }

    /// Backups: their use cases and queries.
    #[must_use]
    pub fn backups(&self) -> backup::Backups<'_> {
        backup::Backups { domain: self }
    }

    /// Categories: their use cases and queries.
    #[must_use]
    pub fn categories(&self) -> category::Categories<'_> {
        category::Categories { domain: self }
    }

    /// What stock has cost: its use cases and queries.
    #[must_use]
    pub fn costs(&self) -> cost::Costs<'_> {
        cost::Costs { domain: self }
    }

    /// Subsidiary accounts, cost centres and projects: their use cases and queries.
    #[must_use]
    pub fn dimensions(&self) -> dimension::Dimensions<'_> {
        dimension::Dimensions { domain: self }
    }

    /// Events: the outbox that feeds subscriptions.
    #[must_use]
    pub fn events(&self) -> event::Events<'_> {
        event::Events { domain: self }
    }

    /// Items: their use cases and queries.
    #[must_use]
    pub fn items(&self) -> item::Items<'_> {
        item::Items { domain: self }
    }

    /// Counts of stock: their use cases and queries.
    #[must_use]
    pub fn counts(&self) -> count::Counts<'_> {
        count::Counts { domain: self }
    }

    /// Exports of items into files.
    #[must_use]
    pub fn item_exports(&self) -> item_export::ItemExports<'_> {
        item_export::ItemExports { domain: self }
    }

    /// Imports of items from files.
    #[must_use]
    pub fn item_imports(&self) -> item_import::ItemImports<'_> {
        item_import::ItemImports { domain: self }
    }

    /// Jobs: what workers and operators do with them.
    #[must_use]
    pub fn jobs(&self) -> job::Jobs<'_> {
        job::Jobs { domain: self }
    }

    /// The journal of the books: its use cases and queries.
    #[must_use]
    pub fn journal(&self) -> journal::Journal<'_> {
        journal::Journal { domain: self }
    }

    /// Imports of entries of the books from files.
    #[must_use]
    pub fn journal_imports(&self) -> journal_import::JournalImports<'_> {
        journal_import::JournalImports { domain: self }
    }

    /// Batches of codes: their use cases and queries.
    #[must_use]
    pub fn code_batches(&self) -> code_batch::CodeBatches<'_> {
        code_batch::CodeBatches { domain: self }
    }

    /// Labels: their use cases and queries.
    #[must_use]
    pub fn labels(&self) -> label::Labels<'_> {
        label::Labels { domain: self }
    }

    /// Landed cost: its use cases and queries.
    #[must_use]
    pub fn landed_costs(&self) -> landed_cost::LandedCosts<'_> {
        landed_cost::LandedCosts { domain: self }
    }

    /// Stock locations: their use cases and queries.
    #[must_use]
    pub fn locations(&self) -> location::Locations<'_> {
        location::Locations { domain: self }
    }

    /// Lots: their use case and queries.
    #[must_use]
    pub fn lots(&self) -> lot::Lots<'_> {
        lot::Lots { domain: self }
    }

    /// Exchange rates: their use case and queries.
    #[must_use]
    pub fn exchange_rates(&self) -> exchange_rate::ExchangeRates<'_> {
        exchange_rate::ExchangeRates { domain: self }
    }

    /// Metal rates: their use case and queries.
    #[must_use]
    pub fn metal_rates(&self) -> metal_rate::MetalRates<'_> {
        metal_rate::MetalRates { domain: self }
    }

    /// Fiscal years and periods: their use cases and queries.
    #[must_use]
    pub fn periods(&self) -> period::Periods<'_> {
        period::Periods { domain: self }
    }

    /// Exports of reports into files.
    #[must_use]
    pub fn report_exports(&self) -> report_export::ReportExports<'_> {
        report_export::ReportExports { domain: self }
    }

    /// Reports of the books.
    #[must_use]
    pub fn reports(&self) -> report::Reports<'_> {
        report::Reports { domain: self }
    }

    /// The trail as something that can be proved.
    #[must_use]
    pub fn trail(&self) -> trail::Trail<'_> {
        trail::Trail { domain: self }
    }

    /// Reservations: their use cases and queries.
    #[must_use]
    pub fn reservations(&self) -> reservation::Reservations<'_> {
        reservation::Reservations { domain: self }
    }

    /// Saved views: their use cases and queries.
    #[must_use]
    pub fn saved_views(&self) -> saved_view::SavedViews<'_> {
        saved_view::SavedViews { domain: self }
    }

    /// How long things are kept: its use cases and queries.
    #[must_use]
    pub fn retention(&self) -> retention::Retention<'_> {
        retention::Retention { domain: self }
    }

    /// What is done by itself, and when: its use cases and queries.
    #[must_use]
    pub fn schedules(&self) -> schedule::Schedules<'_> {
        schedule::Schedules { domain: self }
    }

    /// Scans: what is behind a code.
    #[must_use]
    pub fn scans(&self) -> scan::Scans<'_> {
        scan::Scans { domain: self }
    }

    /// What came in, left and lay there, day by day: its use cases and queries.
    #[must_use]
    pub fn series(&self) -> series::TimeSeriesOf<'_> {
        series::TimeSeriesOf { domain: self }
    }

    /// What is said once for the whole shop.
    #[must_use]
    pub fn shop(&self) -> shop::Shops<'_> {
        shop::Shops { domain: self }
    }

    /// Accounts of stock: their use case and queries.
    #[must_use]
    pub fn stock_accounts(&self) -> stock_account::StockAccounts<'_> {
        stock_account::StockAccounts { domain: self }
    }

    /// Stock: its use cases and queries.
    #[must_use]
    pub fn stock(&self) -> stock::Stock<'_> {
        stock::Stock { domain: self }
    }

    /// Transfers of stock: their use cases and queries.
    #[must_use]
    pub fn transfers(&self) -> transfer::Transfers<'_> {
        transfer::Transfers { domain: self }
    }

    /// Units of measure.
    #[must_use]
    pub fn units_of_measure(&self) -> unit_of_measure::UnitsOfMeasure<'_> {
        unit_of_measure::UnitsOfMeasure { domain: self }
    }

    /// Users, their roles and API tokens.
    #[must_use]
    pub fn users(&self) -> user::Users<'_> {
        user::Users { domain: self }
    }

    /// The present time, from the clock this domain was given.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Begins the transaction of a use case. Dropped without `commit`, it rolls back.
    async fn begin(&self) -> Result<DatabaseTransaction> {
        Ok(self.db.begin().await?)
    }

    /// Ends the transaction of a use case, and wakes whoever waits for what it did.
    async fn commit(&self, tx: DatabaseTransaction) -> Result<()> {
        tx.commit()
            .await
            .map_err(stock_account::refused_at_commit)?;
        self.notifier.committed();
        Ok(())
    }
}
