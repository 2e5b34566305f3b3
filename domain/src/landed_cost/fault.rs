//! What the database found wrong with a landed cost, told so that a person understands it.

use rust_decimal::Decimal;
use sea_orm::DbErr;
use serde::Deserialize;

use crate::{
    db,
    error::{Code, Error, Refusal},
};

/// One thing that is wrong.
#[derive(Deserialize)]
struct Fault {
    code: String,
    sku: Option<String>,
    /// What the line would be worth.
    value: Option<Decimal>,
}

/// Where in the input things are.
#[derive(Clone, Copy)]
pub(super) struct Paths {
    /// What it is about: the receipt, or the landed cost to be undone.
    pub(super) subject: &'static str,
    /// How much it is.
    pub(super) amount: &'static str,
}

pub(super) fn refused(error: DbErr, paths: Paths) -> Error {
    let Some((constraint, detail)) = db::broken(&error) else {
        return error.into();
    };
    match constraint.as_str() {
        "stock_landed_cost_reversed_once" => {
            Refusal::new(Code::AlreadyReversed, paths.subject).into()
        }
        "stock_landed_cost_fit" => {
            let faults: Vec<Fault> = detail
                .and_then(|detail| serde_json::from_str(&detail).ok())
                .unwrap_or_default();
            let mut refusals: Vec<Refusal> = Vec::new();
            // What is wrong with the receipt is wrong with each line.
            for refusal in faults.iter().filter_map(|fault| told(fault, paths)) {
                if !refusals.contains(&refusal) {
                    refusals.push(refusal);
                }
            }
            if refusals.is_empty() {
                error.into()
            } else {
                Error::Refused(refusals)
            }
        }
        _ => error.into(),
    }
}

/// None for what only a fault of ours can bring about.
fn told(fault: &Fault, paths: Paths) -> Option<Refusal> {
    match fault.code.as_str() {
        "not_a_receipt" => Some(Refusal::new(Code::NotAReceipt, paths.subject)),
        "receipt_reversed" => Some(Refusal::new(Code::AlreadyReversed, paths.subject)),
        "less_than_nothing" => {
            let value = fault.value.unwrap_or_default().normalize();
            let refusal = Refusal::new(Code::LessThanNothing, paths.amount);
            let sku = fault.sku.as_deref().unwrap_or_default();
            Some(refusal.with("sku", sku).with("value", value))
        }
        _ => None,
    }
}
