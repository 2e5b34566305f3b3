//! The one error type that callers of the domain see.
//!
//! Refusals are expected: they say what a person can do about it and travel in a mutation's payload. Everything else is either about
//! who is asking, or a fault of ours or of a service we need.

use std::{borrow::Cow, collections::BTreeMap};

use sea_orm::DbErr;
use serde::{Deserialize, Serialize};

use crate::{db, permission::Permission};

/// What every use case returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a use case did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is logged in.
    #[error("not authenticated")]
    Unauthenticated,
    /// Somebody is, but may not do this.
    #[error("the permission {0} is needed")]
    Forbidden(Permission),
    /// The request cannot be granted as it is. Never empty.
    #[error("refused: {0:?}")]
    Refused(Vec<Refusal>),
    /// A service that we need does not answer. Trying again later may help.
    #[error("unavailable: {0}")]
    Unavailable(#[source] Fault),
    /// A fault of ours.
    #[error("internal error: {0}")]
    Internal(#[source] Fault),
}

/// What went wrong inside, for the log.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    /// A fault of ours, from a sentence for the log.
    pub fn internal(what: impl Into<Fault>) -> Self {
        Self::Internal(what.into())
    }

    /// Whether a file was retired before a row could refer to it: it has to be stored again, under the name that is free by then.
    #[must_use]
    pub fn is_retired_file(&self) -> bool {
        let (Self::Unavailable(fault) | Self::Internal(fault)) = self else {
            return false;
        };
        let error = fault.downcast_ref::<DbErr>();
        error.and_then(db::broken_constraint) == Some("blob_retired")
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(vec![refusal])
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if db::is_unavailable(&error) {
            Self::Unavailable(error.into())
        } else {
            Self::Internal(error.into())
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.into())
    }
}

/// One reason why a request cannot be granted: a stable code, where in the request, and the values its message needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What is wrong.
    pub code: Code,
    /// Field names from the mutation's input inwards; empty when it is about the request as a whole.
    pub path: Vec<String>,
    /// Values for the message, by name.
    pub params: BTreeMap<Cow<'static, str>, String>,
}

impl Refusal {
    /// A refusal about the field at `path`, dots between its segments: `name.en`.
    #[must_use]
    pub fn new(code: Code, path: &str) -> Self {
        let path = path
            .split('.')
            .filter(|segment| !segment.is_empty())
            .map(storable)
            .collect();
        Self {
            code,
            path,
            params: BTreeMap::new(),
        }
    }

    /// The same about the field at another path.
    #[must_use]
    pub(crate) fn at(self, path: &str) -> Self {
        let path = Self::new(self.code, path).path;
        Self { path, ..self }
    }

    /// The same about the row with this index of a list of rows.
    #[must_use]
    pub(crate) fn in_row(mut self, index: usize) -> Self {
        self.path
            .splice(0..0, ["rows".to_owned(), index.to_string()]);
        self
    }

    /// Adds a value that the message needs.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.params
            .insert(name.into(), storable(&value.to_string()));
        self
    }
}

/// Longest text of a refusal, in characters: enough to recognise what was written.
const SHOWN_MAX: usize = 500;

/// Refusals are kept for whoever asks again, many at once: without the one character that PostgreSQL refuses, and not as long as what
/// somebody may send.
fn storable(text: &str) -> String {
    let cut = text.char_indices().nth(SHOWN_MAX);
    let shown = match cut {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    shown.replace('\0', "\u{FFFD}")
}

macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident = $text:literal),+ $(,)?) => {
        /// What can be wrong with a request. The text of a code never changes: clients compare it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code { $($(#[$doc])+ #[serde(rename = $text)] $name),+ }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable text.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

codes! {
    /// The account is a group: it holds accounts, and is not posted to. Params: `account`.
    AccountIsGroup = "ACCOUNT_IS_GROUP",
    /// The account has what stock is worth: only stock posts to it. Params: `account`.
    AccountOfStock = "ACCOUNT_OF_STOCK",
    /// The entry was reversed before.
    AlreadyReversed = "ALREADY_REVERSED",
    /// The value is in use by another row. Params: `value`.
    AlreadyTaken = "ALREADY_TAKEN",
    /// It can mean several things. Params: `value`, `choices`.
    Ambiguous = "AMBIGUOUS",
    /// The row is archived and must be restored first.
    Archived = "ARCHIVED",
    /// The account has another amount than the file says. Params: `account`, `commodity`, `asserted`, `actual`.
    AssertionFailed = "ASSERTION_FAILED",
    /// The picture is in AVIF, which we do not take.
    AvifPicture = "AVIF_PICTURE",
    /// A backup is being made already.
    BackupRunning = "BACKUP_RUNNING",
    /// An account would have less than it has to, with what is held. Params: `account`, `commodity`, `available`, `floor`.
    BelowFloor = "BELOW_FLOOR",
    /// Every shop has it: it cannot be put away.
    BuiltIn = "BUILT_IN",
    /// Items cannot vary along this attribute. Params: `value`.
    CannotVary = "CANNOT_VARY",
    /// The location is kept for items of other categories. Params: `sku`, `location`.
    CategoryNotKept = "CATEGORY_NOT_KEPT",
    /// An attribute says something else than the same attribute of a category above or below. Params: `category`, `value`.
    Contradicts = "CONTRADICTS",
    /// The piece was counted at another place. Params: `number`, `location`.
    CountedElsewhere = "COUNTED_ELSEWHERE",
    /// Fewer were counted than are taken back. Params: `sku`, `location`, `counted`.
    CountedFewer = "COUNTED_FEWER",
    /// The place is being counted already. Params: `location`, and `number` of the count.
    CountLocationTaken = "COUNT_LOCATION_TAKEN",
    /// The row would become its own ancestor.
    Cycle = "CYCLE",
    /// The picture has more pixels than we take. Params: `width`, `height`, `max`.
    DimensionsTooLarge = "DIMENSIONS_TOO_LARGE",
    /// The entry follows from stock: it is undone by undoing what happened there.
    EntryOfStock = "ENTRY_OF_STOCK",
    /// Something else was given that it cannot be given together with. Params: `other`.
    Exclusive = "EXCLUSIVE",
    /// More pure metal would come out than went in. Params: `gained`, in grams.
    FineWeightGained = "FINE_WEIGHT_GAINED",
    /// More pure metal would be lost than may be. Params: `lost`, `max`, in grams.
    FineWeightLost = "FINE_WEIGHT_LOST",
    /// The fiscal year is closed as a whole, and is opened as a whole.
    FiscalYearClosed = "FISCAL_YEAR_CLOSED",
    /// The fiscal year was not closed as a whole.
    FiscalYearOpen = "FISCAL_YEAR_OPEN",
    /// Work on it in the background was given up.
    GaveUp = "GAVE_UP",
    /// The receipt bears landed cost, which is reversed first.
    HasLandedCost = "HAS_LANDED_COST",
    /// The template has variants that this would leave without a place. Params: `value`.
    HasVariants = "HAS_VARIANTS",
    /// The picture is in HEIC, as iPhones take them, which we do not take.
    HeicPicture = "HEIC_PICTURE",
    /// The key was used before with another request.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED",
    /// The units measure different things. Params: `from`, `to`.
    IncompatibleUnits = "INCOMPATIBLE_UNITS",
    /// There is less than was asked for. Params: `sku`, `location`, `available`, `requested`.
    InsufficientStock = "INSUFFICIENT_STOCK",
    /// At some moment since then there would have been less than nothing. Params: `sku`, `location`, `short`, `at`.
    InsufficientStockThen = "INSUFFICIENT_STOCK_THEN",
    /// It would weigh less than nothing. Params: `sku`, `location`, `available`, in grams.
    InsufficientWeight = "INSUFFICIENT_WEIGHT",
    /// It is in use already, and cannot be changed any more.
    InUse = "IN_USE",
    /// A template cannot be a variant itself.
    IsTemplate = "IS_TEMPLATE",
    /// A variant cannot become a template.
    IsVariant = "IS_VARIANT",
    /// Login name or password are wrong.
    InvalidCredentials = "INVALID_CREDENTIALS",
    /// It is no expression of cron with five fields.
    InvalidCron = "INVALID_CRON",
    /// Items that are there already would not be valid any more. Params: `count`.
    InvalidItems = "INVALID_ITEMS",
    /// The text does not have the form it must have. Params: `value`.
    InvalidFormat = "INVALID_FORMAT",
    /// The formula cannot be understood. Params: `value`, the character from which on; none when it can, but never be computed.
    InvalidFormula = "INVALID_FORMULA",
    /// The last digit of the barcode does not fit the others. Params: `value`, and `digit`, which would fit.
    InvalidCheckDigit = "INVALID_CHECK_DIGIT",
    /// The job has succeeded or was given up: there is nothing to take back.
    JobOver = "JOB_OVER",
    /// There is one job of this kind at a time, and another one waits or runs.
    JobUnderWay = "JOB_UNDER_WAY",
    /// Locations of these two kinds do not go together: at least one of them is virtual.
    KindMismatch = "KIND_MISMATCH",
    /// These labels are too small for what each of them has to show.
    LabelTooSmall = "LABEL_TOO_SMALL",
    /// There must always be an owner who can log in.
    LastOwner = "LAST_OWNER",
    /// Everything is held: nothing is removed.
    LegalHold = "LEGAL_HOLD",
    /// What came in would be worth less than nothing. Params: `sku`, `value`.
    LessThanNothing = "LESS_THAN_NOTHING",
    /// Too little of a code of this level may be covered for a picture in its middle.
    LevelTooLow = "LEVEL_TOO_LOW",
    /// The location would hold more than it may. Params: `location`, `capacity`, `requested`.
    LocationFull = "LOCATION_FULL",
    /// The lot with this number is known, and is otherwise. Params: `number`.
    LotDiffers = "LOT_DIFFERS",
    /// The lot's time is over: it is not sold. Params: `number`.
    LotExpired = "LOT_EXPIRED",
    /// The lot is in quarantine: it is not sold. Params: `number`.
    LotQuarantined = "LOT_QUARANTINED",
    /// The item is kept by lot or by serial. Params: `sku`.
    LotRequired = "LOT_REQUIRED",
    /// It is no currency, or the shop's own: it has no exchange rate. Params: `value`.
    NotACurrency = "NOT_A_CURRENCY",
    /// The account is no group: it holds no accounts. Params: `value`.
    NotAGroup = "NOT_A_GROUP",
    /// The item is no template: it has no options.
    NotATemplate = "NOT_A_TEMPLATE",
    /// It is done to one thing, and a schedule knows of none. Params: `value`.
    NotBySchedule = "NOT_BY_SCHEDULE",
    /// Another quantity would come out than went in. Params: `difference`.
    NotConserved = "NOT_CONSERVED",
    /// The job was not given up: there is nothing to try again.
    NotDead = "NOT_DEAD",
    /// The entry brought nothing in from outside.
    NotAReceipt = "NOT_A_RECEIPT",
    /// The value is none of those to choose from. Params: `value`, `options`.
    NotAnOption = "NOT_AN_OPTION",
    /// Nothing was selected.
    NothingSelected = "NOTHING_SELECTED",
    /// There is no moment at which it comes.
    NeverComes = "NEVER_COMES",
    /// Nobody has said which account is for this. Params: `role`.
    NoAccountForRole = "NO_ACCOUNT_FOR_ROLE",
    /// The books have no fiscal year, or no period, for this day. Params: `date`.
    NoPeriod = "NO_PERIOD",
    /// Nobody has recorded what this is worth for this day or an earlier one. Params: `commodity`, `date`.
    NoRate = "NO_RATE",
    /// There is no such row, or not for you.
    NotFound = "NOT_FOUND",
    /// Something is still in it. Params: `count`.
    NotEmpty = "NOT_EMPTY",
    /// The count is about other places, or other items. Params: `value`.
    NotInCount = "NOT_IN_COUNT",
    /// It is not counted again. Params: `sku`, `location`.
    NotRecounted = "NOT_RECOUNTED",
    /// The entry reverses another one, and is not reversed itself.
    NotReversible = "NOT_REVERSIBLE",
    /// All pieces of the item are alike: it has no lots.
    NotTracked = "NOT_TRACKED",
    /// The item is not weighed. Params: `sku`.
    NotWeighed = "NOT_WEIGHED",
    /// The item is counted in whole pieces. Params: `sku`.
    NotWhole = "NOT_WHOLE",
    /// An amount is either debited or credited.
    OneSide = "ONE_SIDE",
    /// What was kept meant something once, and does not any more.
    Outdated = "OUTDATED",
    /// The number is too small or too large. Params: `min`, `max`.
    OutOfRange = "OUT_OF_RANGE",
    /// There is one for some of these days already.
    Overlaps = "OVERLAPS",
    /// The period is closed. Params: `closedUntil`.
    PeriodClosed = "PERIOD_CLOSED",
    /// The period is not over yet. Params: `endsOn`.
    PeriodNotOver = "PERIOD_NOT_OVER",
    /// An open period would lie before a closed one.
    PeriodOrder = "PERIOD_ORDER",
    /// The value must be given.
    Required = "REQUIRED",
    /// The reservation holds something else.
    ReservationMismatch = "RESERVATION_MISMATCH",
    /// The reservation holds nothing any more.
    ReservationOver = "RESERVATION_OVER",
    /// The reservation holds less. Params: `open`, `requested`.
    ReservationTooSmall = "RESERVATION_TOO_SMALL",
    /// The row of a file is longer than we take. Params: `max`.
    RowTooLarge = "ROW_TOO_LARGE",
    /// Only single pieces have this.
    SerialsOnly = "SERIALS_ONLY",
    /// The piece is somewhere else. Params: `number`, `location`.
    SerialElsewhere = "SERIAL_ELSEWHERE",
    /// Somebody changed the row since you read it. Params: `expected`, `actual`.
    StaleVersion = "STALE_VERSION",
    /// What was begun last is not finished.
    StillRunning = "STILL_RUNNING",
    /// Lines of this account name a subsidiary account. Params: `account`, `expected`.
    SubsidiaryRequired = "SUBSIDIARY_REQUIRED",
    /// The account has no subsidiary accounts. Params: `account`.
    SubsidiaryUnwanted = "SUBSIDIARY_UNWANTED",
    /// Too many attempts; wait. Params: `seconds`.
    Throttled = "THROTTLED",
    /// The time is too early or too late. Params: `min`, `max`.
    TimeOutOfRange = "TIME_OUT_OF_RANGE",
    /// The file is larger than we take. Params: `max`.
    TooLarge = "TOO_LARGE",
    /// The tree would have more levels than we take. Params: `max`.
    TooDeep = "TOO_DEEP",
    /// The number has more decimal places than we take. Params: `max`.
    TooFine = "TOO_FINE",
    /// The text is longer than we take. Params: `max`.
    TooLong = "TOO_LONG",
    /// More entries than we take. Params: `max`.
    TooMany = "TOO_MANY",
    /// The text is shorter than it must be. Params: `min`.
    TooShort = "TOO_SHORT",
    /// What is debited is not what is credited. Params: `commodity`, `debit`, `credit`.
    Unbalanced = "UNBALANCED",
    /// Stock cannot be booked to the account: it is of another commodity, demands subsidiary accounts, or has both stock and something else. Params: `account`.
    UnfitForStock = "UNFIT_FOR_STOCK",
    /// The file has a column that nobody knows. Params: `value`.
    UnknownColumn = "UNKNOWN_COLUMN",
    /// The category has no attribute of this name. Params: `value`.
    UnknownAttribute = "UNKNOWN_ATTRIBUTE",
    /// There is no commodity of this name. Params: `value`.
    UnknownCommodity = "UNKNOWN_COMMODITY",
    /// There is no time zone of this name. Params: `value`.
    UnknownTimeZone = "UNKNOWN_TIME_ZONE",
    /// There is no unit of this name. Params: `value`.
    UnknownUnit = "UNKNOWN_UNIT",
    /// Values would have to be unique among other items than before.
    UniqueElsewhere = "UNIQUE_ELSEWHERE",
    /// The formula uses a name that means nothing. Params: `value`.
    UnknownName = "UNKNOWN_NAME",
    /// The content of the file cannot be read.
    Unreadable = "UNREADABLE",
    /// A file of this kind is not taken.
    UnsupportedType = "UNSUPPORTED_TYPE",
    /// The template has a variant with these values already.
    VariantExists = "VARIANT_EXISTS",
    /// The variants differ in this attribute: the template itself has no value of it. Params: `value`.
    Varies = "VARIES",
    /// The location is virtual: there are no bounds to what lies in it.
    VirtualLocation = "VIRTUAL_LOCATION",
    /// Weight would be left where no piece is. Params: `left`, `max`, in grams.
    WeightLeft = "WEIGHT_LEFT",
    /// Nobody has said what it costs. It cannot be shared out by value.
    WithoutCost = "WITHOUT_COST",
    /// The item is a service, a file or a template: there is no stock of it. Params: `sku`.
    WithoutStock = "WITHOUT_STOCK",
    /// Nobody has said what it weighs. It cannot be shared out by weight. Params: `sku`.
    WithoutWeight = "WITHOUT_WEIGHT",
    /// The account is about something else than it has to be. Params: `expected`.
    WrongAccountKind = "WRONG_ACCOUNT_KIND",
    /// Another commodity is posted to this account. Params: `account`, `commodity`, `expected`.
    WrongCommodity = "WRONG_COMMODITY",
    /// It is a value of another kind than it has to be. Params: `expected`.
    WrongDimension = "WRONG_DIMENSION",
    /// Goods do not come from there or go there in this way. Params: `location`.
    WrongLocation = "WRONG_LOCATION",
    /// It is not at the point where this can be done. Params: `state`.
    WrongState = "WRONG_STATE",
    /// The value is of another type than it must be. Params: `expected`.
    WrongType = "WRONG_TYPE",
}

/// Collects refusals, so that a person hears of everything that is wrong at once.
#[derive(Debug, Default)]
pub struct Refusals(Vec<Refusal>);

impl Refusals {
    /// Keeps the value, or remembers why there is none.
    pub fn take<T>(&mut self, value: Result<T, Refusal>) -> Option<T> {
        value.map_err(|refusal| self.0.push(refusal)).ok()
    }

    /// Remembers a refusal.
    pub fn push(&mut self, refusal: Refusal) {
        self.0.push(refusal);
    }

    /// Goes on with `value` when nothing was refused.
    ///
    /// # Errors
    /// All that was refused.
    pub fn into_result<T>(self, value: Option<T>) -> Result<T> {
        match (self.0.is_empty(), value) {
            (true, Some(value)) => Ok(value),
            (true, None) => Err(Error::internal("a value was refused without a reason")),
            (false, _) => Err(Error::Refused(self.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Refusal, SHOWN_MAX};

    #[test]
    fn a_refusal_is_not_as_long_as_what_was_sent() {
        let sent = "گ".repeat(SHOWN_MAX + 1);
        let refusal = Refusal::new(Code::NotFound, &sent).with("value", &sent);
        let shown = format!("{}…", "گ".repeat(SHOWN_MAX));
        assert_eq!(
            (&refusal.path[0], &refusal.params["value"]),
            (&shown, &shown)
        );
        let whole = "a\0".repeat(SHOWN_MAX / 2);
        let refusal = refusal.with("value", &whole);
        assert_eq!(refusal.params["value"], whole.replace('\0', "\u{FFFD}"));
    }
}
