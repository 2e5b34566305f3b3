//! What a listener wants to hear of. The database narrows down what it reads, [`Interest::wants`] decides.

use entity::id::{AccountId, CategoryId, ItemId, JobId, JournalHoldId, LocationId};
use sea_orm::ActiveEnum as _;

use super::{Event, Kind, action};
use crate::{error::Result, job::Visible, metal_rate::MetalRateFilter, sql::Sql, viewer::Viewer};

/// Action of the one event of a whole import, which may concern any item.
const ITEM_IMPORT: &str = "item.import";

/// Which events somebody listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Floors that are set, and taken away.
    AccountFloors {
        /// Of this account only.
        account: Option<AccountId>,
    },
    /// Every change of the category tree.
    CategoryTree,
    /// Subsidiary accounts, cost centres and projects that change, and new ones.
    DimensionValues,
    /// Items that change, and new ones. All that is given must hold; an import concerns everybody.
    Items {
        /// This item only.
        item: Option<ItemId>,
        /// Items only that are directly in this category, or have just left it.
        category: Option<CategoryId>,
    },
    /// How jobs get on.
    Jobs {
        /// This job only.
        job: Option<JobId>,
    },
    /// Entries that are posted to the books.
    Journal {
        /// With a line of this account only; an entry of very many accounts concerns everybody.
        account: Option<AccountId>,
    },
    /// What is held of what is going to be posted, and what becomes of it.
    JournalHolds {
        /// This hold only.
        hold: Option<JournalHoldId>,
    },
    /// Every change of the tree of stock locations.
    LocationTree,
    /// Metal rates that are recorded.
    MetalRates(MetalRateFilter),
    /// Schedules that change, and their times that have come.
    Schedules,
    /// Stock that is moved, held or let go. All that is given must hold; an entry of very many lines concerns everybody.
    Stock {
        /// Of this item only.
        item: Option<ItemId>,
        /// Into this location or out of it only.
        location: Option<LocationId>,
    },
}

impl Interest {
    fn kind(&self) -> Kind {
        match self {
            Self::AccountFloors { .. } => Kind::AccountFloorChanged,
            Self::CategoryTree => Kind::CategoryTreeChanged,
            Self::DimensionValues => Kind::DimensionValueChanged,
            Self::Items { .. } => Kind::ItemChanged,
            Self::Jobs { .. } => Kind::JobChanged,
            Self::Journal { .. } => Kind::JournalPosted,
            Self::JournalHolds { .. } => Kind::JournalHoldChanged,
            Self::LocationTree => Kind::LocationTreeChanged,
            Self::MetalRates(_) => Kind::MetalRateChanged,
            Self::Schedules => Kind::ScheduleChanged,
            Self::Stock { .. } => Kind::StockChanged,
        }
    }

    /// Goes on only when the viewer may hear of it. How a job gets on hears, too, who has logged in and caused it: whoever looks its row up sees
    /// to that.
    pub(super) fn require(&self, viewer: &Viewer) -> Result<()> {
        let permission = viewer.require(self.kind().permission());
        match self {
            Self::Jobs { .. } if matches!(Visible::to(viewer), Ok(Some(_))) => Ok(()),
            _ => permission,
        }
    }

    /// Whether the event is one of those.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        event.kind == self.kind().as_str()
            && match self {
                Self::CategoryTree
                | Self::DimensionValues
                | Self::LocationTree
                | Self::Schedules => true,
                Self::AccountFloors { account } => {
                    account.is_none_or(|id| is(event, "account", &id.to_string()))
                }
                Self::Items { item, category } => {
                    let is_of_item = item.is_none_or(|id| id.0 == event.aggregate_id);
                    let is_of_category = category.is_none_or(|id| concerns_category(event, id));
                    action(event) == ITEM_IMPORT || is_of_item && is_of_category
                }
                Self::Jobs { job } => job.is_none_or(|id| id.0 == event.aggregate_id),
                Self::Journal { account } => {
                    account.is_none_or(|id| names(event, "accounts", &id.to_string()))
                }
                Self::JournalHolds { hold } => hold.is_none_or(|id| id.0 == event.aggregate_id),
                Self::MetalRates(filter) => members(filter)
                    .into_iter()
                    .all(|(name, value)| value.is_none_or(|value| is(event, name, &value))),
                Self::Stock { item, location } => {
                    item.is_none_or(|id| names(event, "items", &id.to_string()))
                        && location.is_none_or(|id| names(event, "locations", &id.to_string()))
                }
            }
    }

    /// Conditions that every wanted event fulfils, and most others do not.
    pub(super) fn narrow(&self, sql: &mut Sql) {
        sql.push(" AND kind = ").bind(self.kind().as_str());
        match self {
            Self::Items { item: Some(id), .. } => {
                sql.push(" AND (aggregate_id = ").bind(id.0);
                sql.push(" OR payload->>'action' = ")
                    .bind(ITEM_IMPORT)
                    .push(")");
            }
            Self::Jobs { job: Some(id) } => {
                sql.push(" AND aggregate_id = ").bind(id.0);
            }
            Self::JournalHolds { hold: Some(id) } => {
                sql.push(" AND aggregate_id = ").bind(id.0);
            }
            Self::AccountFloors { account: Some(id) } => {
                sql.push(" AND payload->>'account' = ").bind(id.to_string());
            }
            Self::MetalRates(filter) => {
                for (name, value) in members(filter) {
                    if let Some(value) = value {
                        sql.push(" AND payload->>")
                            .bind(name)
                            .push(" = ")
                            .bind(value);
                    }
                }
            }
            // What an event names is in lists that no index knows.
            Self::AccountFloors { .. }
            | Self::CategoryTree
            | Self::DimensionValues
            | Self::Items { .. }
            | Self::Jobs { .. }
            | Self::Journal { .. }
            | Self::JournalHolds { .. }
            | Self::LocationTree
            | Self::Schedules
            | Self::Stock { .. } => {}
        }
    }
}

/// What the payload of a wanted event of a metal rate says, where it matters.
fn members(filter: &MetalRateFilter) -> [(&'static str, Option<String>); 2] {
    let MetalRateFilter { metal, currency } = filter;
    [
        ("metal", metal.map(|metal| metal.to_value())),
        ("currency", currency.map(|currency| currency.to_string())),
    ]
}

/// Whether this member of the event's payload is this text.
fn is(event: &Event, name: &str, text: &str) -> bool {
    event.payload.get(name).and_then(|found| found.as_str()) == Some(text)
}

/// Whether this list of the event's payload has this text; one that names nothing concerns everything.
fn names(event: &Event, list: &str, text: &str) -> bool {
    let named = event.payload.get(list).and_then(|named| named.as_array());
    named.is_none_or(|named| named.iter().any(|name| name == text))
}

/// Whether the event's item is in the category, or was until the event.
fn concerns_category(event: &Event, id: CategoryId) -> bool {
    let id = id.to_string();
    ["categoryId", "previousCategoryId"]
        .iter()
        .any(|name| is(event, name, &id))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::{currency::Currency, metal_rate::Metal};

    const ITEM: ItemId = ItemId(Uuid::from_u128(1));
    const OTHER_ITEM: ItemId = ItemId(Uuid::from_u128(2));
    const OLD: CategoryId = CategoryId(Uuid::from_u128(3));
    const NEW: CategoryId = CategoryId(Uuid::from_u128(4));
    const ELSEWHERE: CategoryId = CategoryId(Uuid::from_u128(5));

    fn event(kind: Kind, id: Uuid, payload: Value) -> Event {
        Event {
            number: 1,
            position: Some(1),
            kind: kind.as_str().to_owned(),
            aggregate_type: String::new(),
            aggregate_id: id,
            aggregate_version: 1,
            payload,
            request_id: None,
            created_at: DateTime::default(),
        }
    }

    fn items(item: Option<ItemId>, category: Option<CategoryId>) -> Interest {
        Interest::Items { item, category }
    }

    #[test]
    fn an_item_that_changes_its_category_concerns_both() {
        let payload =
            json!({ "action": "item.update", "categoryId": NEW, "previousCategoryId": OLD });
        let moved = event(Kind::ItemChanged, ITEM.0, payload);
        for wanted in [
            items(None, None),
            items(None, Some(OLD)),
            items(None, Some(NEW)),
            items(Some(ITEM), Some(OLD)),
        ] {
            assert!(wanted.wants(&moved), "{wanted:?}");
        }
        for other in [
            items(None, Some(ELSEWHERE)),
            items(Some(OTHER_ITEM), None),
            items(Some(OTHER_ITEM), Some(NEW)),
        ] {
            assert!(!other.wants(&moved), "{other:?}");
        }
    }

    #[test]
    fn an_import_concerns_whoever_listens_to_items() {
        let import = event(
            Kind::ItemChanged,
            Uuid::from_u128(9),
            json!({ "action": "item.import" }),
        );
        assert!(items(Some(ITEM), Some(OLD)).wants(&import));
        assert!(!Interest::CategoryTree.wants(&import));
    }

    #[test]
    fn metal_rates_are_told_apart_by_metal_and_currency() {
        let payload = json!({ "action": "metal_rate.record", "metal": "gold", "currency": "IRR" });
        let recorded = event(Kind::MetalRateChanged, Uuid::from_u128(9), payload);
        let of = |metal, currency: Option<&str>| {
            let currency = currency.map(|code| Currency::parse("currency", code).unwrap());
            Interest::MetalRates(MetalRateFilter { metal, currency }).wants(&recorded)
        };
        assert!(of(None, None) && of(Some(Metal::Gold), Some("IRR")) && of(None, Some("IRR")));
        assert!(!of(Some(Metal::Silver), None) && !of(Some(Metal::Gold), Some("EUR")));
        assert!(!items(None, None).wants(&recorded));
    }

    #[test]
    fn floors_are_told_apart_by_account_and_holds_by_themselves() {
        let id = Uuid::from_u128;
        let payload = json!({ "action": "account.floor_set", "account": id(1) });
        let set = event(Kind::AccountFloorChanged, id(9), payload);
        let floors = |account: Option<u128>| Interest::AccountFloors {
            account: account.map(|account| AccountId(id(account))),
        };
        assert!(floors(None).wants(&set) && floors(Some(1)).wants(&set));
        assert!(!floors(Some(9)).wants(&set));
        let held = event(Kind::JournalHoldChanged, id(9), json!({}));
        let holds = |hold: Option<u128>| Interest::JournalHolds {
            hold: hold.map(|hold| JournalHoldId(id(hold))),
        };
        assert!(holds(None).wants(&held) && holds(Some(9)).wants(&held));
        assert!(!holds(Some(1)).wants(&held) && !floors(None).wants(&held));
        assert!(!Interest::DimensionValues.wants(&held));
    }

    #[test]
    fn jobs_are_told_apart() {
        let job = JobId(Uuid::from_u128(7));
        let progress = event(Kind::JobChanged, job.0, json!({}));
        assert!(Interest::Jobs { job: None }.wants(&progress));
        assert!(Interest::Jobs { job: Some(job) }.wants(&progress));
        assert!(
            !Interest::Jobs {
                job: Some(JobId(Uuid::from_u128(8)))
            }
            .wants(&progress)
        );
        assert!(!items(None, None).wants(&progress));
    }
}
