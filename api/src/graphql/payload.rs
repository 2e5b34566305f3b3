//! What mutations answer with: the thing that changed, or why it did not.

use async_graphql::{Context, Enum, SimpleObject};
use domain::{Code, Error, Refusal, Viewer};

use super::{
    context::ContextExt,
    error::{sentence, to_graphql},
};

macro_rules! user_error_codes {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {
        /// What can be wrong with a request.
        #[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
        #[graphql(remote = "Code")]
        pub enum UserErrorCode { $($(#[$doc])+ $name),+ }
    };
}

user_error_codes! {
    /// The account is a group: it holds accounts, and is not posted to.
    AccountIsGroup,
    /// The account has what stock is worth: only stock posts to it.
    AccountOfStock,
    /// The entry was reversed before.
    AlreadyReversed,
    /// The value is in use by another row.
    AlreadyTaken,
    /// It can mean several things; which ones is in the message.
    Ambiguous,
    /// The row is archived and must be restored first.
    Archived,
    /// The account has another amount than the file says.
    AssertionFailed,
    /// The picture is in AVIF, which is not taken.
    AvifPicture,
    /// A backup is being made already.
    BackupRunning,
    /// An account would have less than it has to, with what is held.
    BelowFloor,
    /// Every shop has it: it cannot be put away.
    BuiltIn,
    /// Items cannot vary along this attribute: it is unique, a reference, or a list.
    CannotVary,
    /// The location is kept for items of other categories.
    CategoryNotKept,
    /// An attribute says something else than the same attribute of a category above or below.
    Contradicts,
    /// The piece was counted at another place.
    CountedElsewhere,
    /// Fewer were counted than are taken back.
    CountedFewer,
    /// The place is being counted already; in which count is in the message.
    CountLocationTaken,
    /// The row would become its own ancestor.
    Cycle,
    /// The picture has more pixels than we take.
    DimensionsTooLarge,
    /// The entry follows from stock: it is undone by undoing what happened there.
    EntryOfStock,
    /// Something else was given that it cannot be given together with.
    Exclusive,
    /// More pure metal would come out than went in.
    FineWeightGained,
    /// More pure metal would be lost than may be.
    FineWeightLost,
    /// The fiscal year is closed as a whole, and is opened as a whole.
    FiscalYearClosed,
    /// The fiscal year was not closed as a whole.
    FiscalYearOpen,
    /// Work on it in the background was given up.
    GaveUp,
    /// The receipt bears landed cost, which is reversed first.
    HasLandedCost,
    /// The template has variants that need this.
    HasVariants,
    /// The picture is in HEIC, as iPhones take them, which is not taken.
    HeicPicture,
    /// The key was used before with another request.
    IdempotencyKeyReused,
    /// The units measure different things.
    IncompatibleUnits,
    /// There is less than was asked for.
    InsufficientStock,
    /// At some moment since then there would have been less than nothing.
    InsufficientStockThen,
    /// It would weigh less than nothing.
    InsufficientWeight,
    /// It is in use already, and cannot be changed any more.
    InUse,
    /// A template cannot be a variant itself.
    IsTemplate,
    /// A variant cannot become a template.
    IsVariant,
    /// Login name or password are wrong.
    InvalidCredentials,
    /// It is no expression of cron with five fields.
    InvalidCron,
    /// Items that are there already would not be valid any more.
    InvalidItems,
    /// The text does not have the form it must have; for ids: it is none, or one of another type.
    InvalidFormat,
    /// The formula cannot be understood.
    InvalidFormula,
    /// The last digit of the barcode does not fit the others.
    InvalidCheckDigit,
    /// The job has succeeded or was given up: there is nothing to take back.
    JobOver,
    /// There is one job of this kind at a time, and another one waits or runs.
    JobUnderWay,
    /// Locations of these two kinds do not go together: at least one of them is virtual.
    KindMismatch,
    /// These labels are too small for what each of them has to show.
    LabelTooSmall,
    /// There must always be an owner who can log in.
    LastOwner,
    /// Everything is held: nothing is removed.
    LegalHold,
    /// What came in would be worth less than nothing.
    LessThanNothing,
    /// Too little of a code of this level may be covered for a picture in its middle.
    LevelTooLow,
    /// The location would hold more than it may.
    LocationFull,
    /// The lot with this number is known, and is otherwise.
    LotDiffers,
    /// The lot's time is over: it is not sold.
    LotExpired,
    /// The lot is in quarantine: it is not sold.
    LotQuarantined,
    /// The item is kept by lot or by serial: which one must be said.
    LotRequired,
    /// It is no currency, or the shop's own: it has no exchange rate.
    NotACurrency,
    /// The account is no group: it holds no accounts.
    NotAGroup,
    /// The item is no template: it has no options.
    NotATemplate,
    /// It is done to one thing, and a schedule knows of none.
    NotBySchedule,
    /// Another quantity would come out than went in.
    NotConserved,
    /// The job was not given up: there is nothing to try again.
    NotDead,
    /// The entry brought nothing in from outside.
    NotAReceipt,
    /// The value is none of those to choose from.
    NotAnOption,
    /// Nothing was selected.
    NothingSelected,
    /// The books have no fiscal year, or no period, for this day.
    NoPeriod,
    /// There is no moment at which it comes.
    NeverComes,
    /// Nobody has said which account is for this; for what is in the message.
    NoAccountForRole,
    /// Nobody has recorded what this is worth for this day or an earlier one.
    NoRate,
    /// There is no such row, or not for you.
    NotFound,
    /// Something is still in it.
    NotEmpty,
    /// The count is about other places, or other items.
    NotInCount,
    /// It is not counted again.
    NotRecounted,
    /// The entry reverses another one, and is not reversed itself.
    NotReversible,
    /// All pieces of the item are alike: it has no lots.
    NotTracked,
    /// The item is not weighed.
    NotWeighed,
    /// The item is counted in whole pieces.
    NotWhole,
    /// An amount is either debited or credited.
    OneSide,
    /// What was kept meant something once, and does not any more.
    Outdated,
    /// The number is too small or too large.
    OutOfRange,
    /// There is one for some of these days already.
    Overlaps,
    /// The period is closed.
    PeriodClosed,
    /// The period is not over yet.
    PeriodNotOver,
    /// An open period would lie before a closed one.
    PeriodOrder,
    /// The value must be given.
    Required,
    /// The reservation holds something else.
    ReservationMismatch,
    /// The reservation holds nothing any more.
    ReservationOver,
    /// The reservation holds less.
    ReservationTooSmall,
    /// The row of a file is longer than we take.
    RowTooLarge,
    /// Only single pieces have this.
    SerialsOnly,
    /// The piece is somewhere else.
    SerialElsewhere,
    /// Somebody changed the row since you read it.
    StaleVersion,
    /// What was begun last is not finished.
    StillRunning,
    /// Lines of this account name a subsidiary account.
    SubsidiaryRequired,
    /// The account has no subsidiary accounts.
    SubsidiaryUnwanted,
    /// Too many attempts; wait.
    Throttled,
    /// The time is too early or too late.
    TimeOutOfRange,
    /// The file is larger than we take.
    TooLarge,
    /// The tree would have more levels than we take.
    TooDeep,
    /// The number has more decimal places than we take.
    TooFine,
    /// The text is longer than we take.
    TooLong,
    /// More entries than we take.
    TooMany,
    /// The text is shorter than it must be.
    TooShort,
    /// What is debited is not what is credited.
    Unbalanced,
    /// Stock cannot be booked to the account: it is of another commodity, demands subsidiary accounts, or has both stock and something else.
    UnfitForStock,
    /// The file has a column that nobody knows.
    UnknownColumn,
    /// The category has no attribute of this name.
    UnknownAttribute,
    /// There is no commodity of this name.
    UnknownCommodity,
    /// There is no time zone of this name.
    UnknownTimeZone,
    /// There is no unit of this name.
    UnknownUnit,
    /// Values would have to be unique among other items than before.
    UniqueElsewhere,
    /// The formula uses a name that means nothing.
    UnknownName,
    /// The content of the file cannot be read.
    Unreadable,
    /// A file of this kind is not taken.
    UnsupportedType,
    /// The template has a variant with these values already.
    VariantExists,
    /// The variants differ in this attribute: the template itself has no value of it.
    Varies,
    /// The location is virtual: there are no bounds to what lies in it.
    VirtualLocation,
    /// Weight would be left where no piece is.
    WeightLeft,
    /// Nobody has said what it costs. It cannot be shared out by value.
    WithoutCost,
    /// The item is a service, a file or a template: there is no stock of it.
    WithoutStock,
    /// Nobody has said what it weighs. It cannot be shared out by weight.
    WithoutWeight,
    /// The account is about something else than it has to be.
    WrongAccountKind,
    /// Another commodity is posted to this account.
    WrongCommodity,
    /// It is a value of another kind than it has to be.
    WrongDimension,
    /// Goods do not come from there or go there in this way.
    WrongLocation,
    /// It is not at the point where this can be done.
    WrongState,
    /// The value is of another type than it must be.
    WrongType,
}

/// One reason why a mutation did nothing.
#[derive(SimpleObject, Clone, Debug)]
pub struct UserError {
    /// What is wrong, for programs.
    pub code: UserErrorCode,
    /// What is wrong, for people, in their language.
    pub message: String,
    /// Where in the input, from outside inwards; empty when it is about the request as a whole.
    pub path: Vec<String>,
    /// The values in the message, by name.
    pub params: Vec<UserErrorParam>,
}

/// A value in a message.
#[derive(SimpleObject, Clone, Debug)]
pub struct UserErrorParam {
    /// Its name, such as `max`.
    pub name: String,
    /// The value as text.
    pub value: String,
}

impl UserError {
    /// A refusal in the viewer's language.
    #[must_use]
    pub fn new(viewer: &Viewer, refusal: Refusal) -> Self {
        let message = sentence(viewer, &refusal);
        let Refusal { code, path, params } = refusal;
        let params = params.into_iter().map(|(name, value)| UserErrorParam {
            name: name.into_owned(),
            value,
        });
        Self {
            code: code.into(),
            message,
            path,
            params: params.collect(),
        }
    }
}

/// The value with no errors, or no value with errors; whatever is not a refusal stays an error of the request. What was loaded before is
/// forgotten, for the use case may have changed it.
///
/// # Errors
/// What the domain did not merely refuse.
pub fn settle<T>(
    ctx: &Context<'_>,
    result: domain::Result<T>,
) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    ctx.renew_loaders();
    answered(ctx, result)
}

/// The same for what changes nothing.
///
/// # Errors
/// What the domain did not merely refuse.
pub fn answered<T>(
    ctx: &Context<'_>,
    result: domain::Result<T>,
) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    let viewer = ctx.viewer();
    match result {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(Error::Refused(refusals)) => Ok((
            None,
            refusals
                .into_iter()
                .map(|refusal| UserError::new(viewer, refusal))
                .collect(),
        )),
        Err(other) => Err(to_graphql(viewer, &other)),
    }
}
