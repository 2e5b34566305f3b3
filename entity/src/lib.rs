#![doc = include_str!("../README.md")]

pub mod api_token;
pub mod audit;
pub mod category;
pub mod event;
pub mod id;
pub mod idempotency;
pub mod item;
pub mod item_barcode;
pub mod item_image;
pub mod job;
pub mod ltree;
pub mod role;
pub mod translations;
pub mod unit_of_measure;
pub mod user;
pub mod user_role;
