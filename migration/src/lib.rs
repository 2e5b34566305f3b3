#![doc = include_str!("../README.md")]

use sea_orm_migration::prelude::*;

/// What a [`Migrator`] can do: for whoever walks along the history step by step.
pub use sea_orm_migration::MigratorTrait;

pub mod capture;
pub mod grants;
pub mod locked;
mod m20261123_000001_people;
mod m20261123_000002_catalogue;
mod m20261123_000003_trail;
mod m20261126_000005_attributes;
mod m20261126_000007_pricing;
mod m20261126_000010_units;
mod m20261126_000011_imports;
mod m20261126_000012_search;
mod m20261126_000013_labels;
mod m20261126_000014_views;
mod m20261126_000015_variants;
mod m20261126_000016_cheaper_writes;
mod m20261126_000017_prices_of_categories;
mod m20261126_000018_search_fold;
mod m20261127_000019_facets;
mod m20261127_000020_search_vector;
mod m20261127_000021_locations;
mod m20261127_000022_stock;
mod m20261127_000023_transfers;
mod m20261127_000024_counts;
mod m20261127_000025_costs;
mod m20261127_000026_stock_weeks;
mod m20261127_000027_stock_series;
mod m20261127_000028_books;
mod m20261128_000029_ledgers;
mod m20261128_000030_trail;
mod m20261128_000032_stock_books;
mod m20261128_000033_reports;
mod m20261128_000034_landed_cost;
mod m20261128_000035_rates;
mod m20261128_000036_cost_proof;
mod m20261128_000037_revaluation;
mod m20261128_000038_job_control;
mod m20261128_000039_schedules;
mod m20261128_000040_backups;
mod m20261128_000041_retention;
mod m20261128_000042_pictures;
mod m20261128_000043_posting;
mod m20261128_000044_ledger_verification;
mod m20261128_000045_code_batches;
mod m20261128_000046_blobs;
mod m20261128_000047_errands;
mod m20261128_000048_retention_of_the_trail;
mod m20261128_000049_sealing;
mod m20261128_000051_bulk_posting;
pub mod settings;

/// All migrations, oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_people::Migration),
            Box::new(m20261123_000002_catalogue::Migration),
            Box::new(m20261123_000003_trail::Migration),
            Box::new(m20261126_000005_attributes::Migration),
            Box::new(m20261126_000007_pricing::Migration),
            Box::new(m20261126_000010_units::Migration),
            Box::new(m20261126_000011_imports::Migration),
            Box::new(m20261126_000012_search::Migration),
            Box::new(m20261126_000013_labels::Migration),
            Box::new(m20261126_000014_views::Migration),
            Box::new(m20261126_000015_variants::Migration),
            Box::new(m20261126_000016_cheaper_writes::Migration),
            Box::new(m20261126_000017_prices_of_categories::Migration),
            Box::new(m20261126_000018_search_fold::Migration),
            Box::new(m20261127_000019_facets::Migration),
            Box::new(m20261127_000020_search_vector::Migration),
            Box::new(m20261127_000021_locations::Migration),
            Box::new(m20261127_000022_stock::Migration),
            Box::new(m20261127_000023_transfers::Migration),
            Box::new(m20261127_000024_counts::Migration),
            Box::new(m20261127_000025_costs::Migration),
            Box::new(m20261127_000026_stock_weeks::Migration),
            Box::new(m20261127_000027_stock_series::Migration),
            Box::new(m20261127_000028_books::Migration),
            Box::new(m20261128_000029_ledgers::Migration),
            Box::new(m20261128_000030_trail::Migration),
            Box::new(m20261128_000032_stock_books::Migration),
            Box::new(m20261128_000033_reports::Migration),
            Box::new(m20261128_000034_landed_cost::Migration),
            Box::new(m20261128_000035_rates::Migration),
            Box::new(m20261128_000036_cost_proof::Migration),
            Box::new(m20261128_000037_revaluation::Migration),
            Box::new(m20261128_000038_job_control::Migration),
            Box::new(m20261128_000039_schedules::Migration),
            Box::new(m20261128_000040_backups::Migration),
            Box::new(m20261128_000041_retention::Migration),
            Box::new(m20261128_000042_pictures::Migration),
            Box::new(m20261128_000043_posting::Migration),
            Box::new(m20261128_000044_ledger_verification::Migration),
            Box::new(m20261128_000045_code_batches::Migration),
            Box::new(m20261128_000046_blobs::Migration),
            Box::new(m20261128_000047_errands::Migration),
            Box::new(m20261128_000048_retention_of_the_trail::Migration),
            Box::new(m20261128_000049_sealing::Migration),
            Box::new(m20261128_000051_bulk_posting::Migration),
        ]
    }
}
