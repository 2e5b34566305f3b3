//! The GraphQL surface.
//!
//! The path of a request: `http` checks it and finds out who is asking; the schema resolves it with what [`context`] finds in the
//! request; a resolver parses ids and input once, calls one use case of the domain, and wraps the outcome. Nothing here decides
//! anything about the business.

pub mod account;
pub mod ageing;
pub mod attribute;
pub mod backup;
pub mod barcode;
pub mod below;
pub mod books_event;
pub mod category;
pub mod code_batch;
pub mod context;
pub mod cost;
pub mod count;
pub mod date;
pub mod decimal;
pub mod dimension;
pub mod errand;
pub mod error;
pub mod event;
pub mod exchange_rate;
pub mod file;
pub mod filter;
pub mod guard;
pub mod id;
pub mod item;
pub mod item_bulk;
pub mod item_export;
pub mod item_import;
pub mod job;
pub mod journal;
pub mod journal_import;
pub mod label;
pub mod landed_cost;
pub mod loader;
pub mod location;
pub mod lot;
pub mod metal_rate;
pub mod money;
pub mod node;
pub mod page;
pub mod payload;
pub mod period;
pub mod report;
pub mod report_export;
pub mod reservation;
pub mod retention;
pub mod saved_view;
pub mod scan;
pub mod schedule;
pub mod schema;
pub mod series;
pub mod shop;
pub mod stock;
pub mod stock_account;
pub mod trail;
pub mod transfer;
pub mod translation;
pub mod unit_of_measure;
pub mod user;
pub mod value;
