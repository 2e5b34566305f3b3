# What the shop's people read when something cannot be done. One message a code; values are named in domain/src/error.rs.

ACCOUNT_IS_GROUP = This is a group of accounts: nothing is posted to it. Choose an account in it.
ACCOUNT_OF_STOCK = Account { $account } has what stock is worth, and follows from stock by itself. Receive, issue or adjust goods instead.
ALREADY_REVERSED = This was reversed before. It can be reversed once.
ALREADY_TAKEN = { $value ->
    [none] This value is already in use.
   *[other] “{ $value }” is already in use.
}
AMBIGUOUS = “{ $value }” can mean several things: { $choices }. Please write which one you mean.
ARCHIVED = This is archived. Restore it first.
ASSERTION_FAILED = The file says that { $account } has { $asserted } { $commodity }, but it has { $actual }.
AVIF_PICTURE = This is an AVIF picture, which is not taken. Save it as JPEG, PNG or WebP and send it again.
BACKUP_RUNNING = A backup is being made already. Wait until it is finished.
BELOW_FLOOR = { $account } would have { $available } { $commodity } left, with what is held; it may not fall below { $floor }.
BUILT_IN = Every shop has this location. It cannot be closed.
CANNOT_VARY = Variants cannot differ in “{ $value }”: choose an attribute with one plain value that is not unique.
CATEGORY_NOT_KEPT = { $location } is kept for items of other categories; { $sku } cannot be put there.
CONTRADICTS = The attribute “{ $value }” of the category “{ $category }” says something else. A category below may only be stricter than those above it.
COUNTED_ELSEWHERE = The piece { $number } was counted in { $location } already. Take it back there first if it is not there.
COUNTED_FEWER = Only { $counted } of { $sku } were counted in { $location }: no more can be taken back.
COUNT_LOCATION_TAKEN = { $location } is being counted already, in the count C-{ $number }.
CYCLE = This cannot be moved below itself.
DIMENSIONS_TOO_LARGE = The picture is { $width } × { $height } pixels; at most { $max } are taken.
ENTRY_OF_STOCK = This entry follows from stock. Undo what happened in stock, and it is undone as well.
EXCLUSIVE = Give either this or “{ $other }”, not both.
FINE_WEIGHT_GAINED = { $gained } g more of pure metal would come out than went in. Please check the weights and finenesses.
FINE_WEIGHT_LOST = { $lost } g of pure metal would be lost; at most { $max } g may be. Check the weights, or allow a larger loss.
FISCAL_YEAR_CLOSED = The fiscal year was closed with its closing entry. Reopen the whole fiscal year.
FISCAL_YEAR_OPEN = This fiscal year has no closing entry that could be undone.
GAVE_UP = This could not be processed. Please upload it again.
HAS_LANDED_COST = Freight or other cost was added to this receipt. Reverse that first; it is listed with the receipt.
HAS_VARIANTS = { $value ->
    [none] There are still variants, archived ones included. Detach them first.
   *[other] There are still variants with “{ $value }”, archived ones included. Change or detach them first.
}
HEIC_PICTURE = This is an HEIC picture, as iPhones take them. In the settings of the iPhone, under Camera and Formats, choose “Most Compatible” and take it again; or send it as JPEG.
IDEMPOTENCY_KEY_REUSED = This idempotency key was used before for another request. Use a new one.
INCOMPATIBLE_UNITS = These two units measure different things, such as weight and length. One cannot be converted into the other.
INSUFFICIENT_STOCK = Only { $available } of { $sku } are available in { $location }; { $requested } were asked for.
INSUFFICIENT_STOCK_THEN = At { $at } there would have been { $short } too few of { $sku } in { $location }. Choose a later time.
INSUFFICIENT_WEIGHT = All of { $sku } in { $location } weighs only { $available } g.
IN_USE = This is in use already and cannot be changed any more.
IS_TEMPLATE = This item has variants of its own, so it cannot become a variant.
IS_VARIANT = This item is a variant of another one, so it cannot have variants itself.
INVALID_CREDENTIALS = The e-mail address or the password is wrong.
INVALID_CRON = { $field ->
    [minute] “{ $value }” does not say when: its first field, the minute, is from 0 to 59.
    [hour] “{ $value }” does not say when: its second field, the hour, is from 0 to 23.
    [day_of_month] “{ $value }” does not say when: its third field, the day of the month, is from 1 to 31.
    [month] “{ $value }” does not say when: its fourth field, the month, is from 1 to 12, or JAN to DEC.
    [day_of_week] “{ $value }” does not say when: its fifth field, the day of the week, is from 0 to 7, or SUN to SAT.
   *[other] “{ $value }” does not say when. Write minute, hour, day of the month, month and day of the week, such as 0 2 * * * for two o’clock every night.
}
INVALID_ITEMS = { $count ->
    [one] One item would not be valid any more. Change it first, or ask to keep it as it is.
   *[other] { $count } items would not be valid any more. Change them first, or ask to keep them as they are.
}
INVALID_FORMAT = { $value ->
    [none] This does not have the form it must have.
   *[other] “{ $value }” does not have the form it must have.
}
INVALID_FORMULA = { $value ->
    [none] The formula cannot be computed.
   *[other] The formula cannot be understood from character { $value } on.
}
INVALID_CHECK_DIGIT = The last digit of the barcode “{ $value }” does not fit the others: after these it is { $digit }. Please check all of them for a typing mistake.
JOB_OVER = This job has ended already. There is nothing to cancel.
JOB_UNDER_WAY = Only one job of this kind runs at a time, and another one is waiting or running. Try again when it has ended.
KIND_MISMATCH = A virtual location stays what it is and lies only below one of its own kind; no other location becomes virtual or lies below a virtual one.
LABEL_TOO_SMALL = These labels are too small for what each of them has to show. Choose larger ones, or another kind of label.
LAST_OWNER = This is the last owner. Make somebody else an owner first.
LEGAL_HOLD = Everything is held at present: nothing is removed. Whoever set the hold can end it.
LESS_THAN_NOTHING = { $sku } would be worth { $value } on this receipt: less than nothing. Take off less.
LEVEL_TOO_LOW = A code with a picture in its middle needs level Q or H: otherwise too much of it is covered to be read.
LOCATION_FULL = { $location } takes { $capacity }; it would hold { $requested }.
LOT_DIFFERS = The lot { $number } is known already, with another value here. Correct it, or use another number.
LOT_EXPIRED = The lot { $number } has expired and cannot be sold.
LOT_QUARANTINED = The lot { $number } is in quarantine and cannot be sold or held for anybody.
LOT_REQUIRED = { $sku } is kept by lot or by serial number. Say which one.
NOT_AN_OPTION = “{ $value }” is none of the options. Choose from: { $options }.
NOT_A_CURRENCY = { $value } has no exchange rate: it is the shop’s own currency, or no currency. What metals cost is recorded as a metal rate.
NOT_A_GROUP = “{ $value }” is no group: no account can be put below it.
NOT_A_TEMPLATE = This item has no options to make variants of. Set its options first.
NOT_A_RECEIPT = Cost is added to goods that came in from outside. This entry brought none.
NOT_BY_SCHEDULE = A schedule cannot do “{ $value }”: it is done to one thing. Start it by hand.
NOT_CONSERVED = What comes out must be what went in; the difference is { $difference }.
NOT_DEAD = Only a job that was given up can be tried again.
NOTHING_SELECTED = Nothing was selected. Choose at least one item.
NOT_FOUND = { $value ->
    [none] There is nothing with this id.
   *[other] There is no “{ $value }”.
}
NOT_EMPTY = { $count ->
    [one] One item is still in it. Move or archive it first.
   *[other] { $count } items are still in it. Move or archive them first.
}
NOT_IN_COUNT = { $value } is not part of this count.
NOT_RECOUNTED = { $sku } in { $location } was counted and is not counted again in this round.
NOT_REVERSIBLE = This reverses another entry and cannot be reversed itself. Do the thing again instead.
NOT_TRACKED = This item is not kept by lot or serial number. Leave the lot out.
NOT_WEIGHED = This item is counted, not weighed. Leave the weight out, or let the item be weighed first.
NOT_WHOLE = { $sku } is counted in whole pieces.
NEVER_COMES = “{ $value }” never comes: there is no such day.
NO_ACCOUNT_FOR_ROLE = { $role ->
    [exchange_difference] Choose first which account takes exchange differences.
    [asset_valuation] Choose first which account takes changes of the value of assets.
   *[liability_valuation] Choose first which account takes changes of the value of liabilities.
}
NO_PERIOD = The books have no fiscal year for { $date }. Begin one, or choose another day.
NO_RATE = Nobody has recorded what { $commodity } was worth on { $date } or before. Record a rate, or choose a later day.
ONE_SIDE = Give either a debit or a credit, not both and not neither.
OUTDATED = This was saved when lists could be asked otherwise, and cannot be understood any more. Please save it again.
OUT_OF_RANGE = The number must be between { $min } and { $max }.
OVERLAPS = There is a fiscal year for some of these days already.
PERIOD_CLOSED = Everything until { $closedUntil } is closed. Choose a later time.
PERIOD_NOT_OVER = The period lasts until { $endsOn }. It can be closed when it is over.
PERIOD_ORDER = Periods are closed from the first on and opened again from the last on.
REQUIRED = This must be given.
RESERVATION_MISMATCH = This reservation holds another item, in another place or of another lot.
RESERVATION_OVER = This reservation holds nothing any more: it was used, released or has expired.
RESERVATION_TOO_SMALL = This reservation holds only { $open }; { $requested } were asked for.
ROW_TOO_LARGE = This row is too long; a row may have at most { $max } bytes. Is a quotation mark missing?
SERIALS_ONLY = Only an item that is kept by serial number has this.
SERIAL_ELSEWHERE = The piece { $number } is in { $location }.
STALE_VERSION = Somebody changed this meanwhile. Load it again, then make your change.
STILL_RUNNING = “{ $name }” was begun before and is not finished. Wait for it, or allow it to overlap.
SUBSIDIARY_REQUIRED = { $expected ->
    [party] Say which party: lines of { $account } name one.
    [bank] Say which bank account: lines of { $account } name one.
    [employee] Say which employee: lines of { $account } name one.
   *[other] Say which subsidiary account: lines of { $account } name one.
}
SUBSIDIARY_UNWANTED = { $account } has no subsidiary accounts. Leave this out.
THROTTLED = Too many attempts. Wait { $seconds } seconds and try again.
TIME_OUT_OF_RANGE = The time must be between { $min } and { $max }.
TOO_DEEP = The tree may have at most { $max } levels.
TOO_FINE = This has too many decimal places; at most { $max } are taken.
TOO_LARGE = The file is too large; at most { $max } bytes are taken.
TOO_LONG = This is too long; at most { $max } characters are taken.
TOO_MANY = These are too many; at most { $max } are taken.
TOO_SHORT = This is too short; at least { $min } characters are needed.
UNBALANCED = { $commodity } does not balance: { $debit } is debited and { $credit } credited.
UNFIT_FOR_STOCK = Stock cannot be booked to account { $account }: it is kept in another currency or metal, demands subsidiary accounts, or is given both for stock and for something else.
UNKNOWN_COLUMN = The column “{ $value }” is not known. Rename it or take it out.
UNKNOWN_ATTRIBUTE = This category has no attribute “{ $value }”. Please check the name, or add the attribute to the category.
UNKNOWN_COMMODITY = There is no currency or metal “{ $value }”.
UNKNOWN_TIME_ZONE = There is no time zone “{ $value }”. Names are such as Asia/Tehran.
UNKNOWN_UNIT = There is no unit “{ $value }”.
UNIQUE_ELSEWHERE = This category cannot move there: an attribute with unique values would begin or end at another category. Retire that attribute first.
UNKNOWN_NAME = The formula uses “{ $value }”, which means nothing here. Please check for a typing mistake.
UNREADABLE = The file is damaged and cannot be read.
UNSUPPORTED_TYPE = Files of this kind are not taken. Use JPEG, PNG, WebP or GIF.
VARIANT_EXISTS = There is a variant with exactly these values already. It may be archived.
VARIES = The variants differ in “{ $value }”, so the item they come from has no value of it. Give it to a variant.
VIRTUAL_LOCATION = This location is virtual: there are no bounds to what lies in it. Leave this out.
WEIGHT_LEFT = With the last piece { $left } g would be left; at most { $max } g may be. Weigh again, or adjust the weight first.
WITHOUT_COST = Nobody has said yet what these goods cost, so nothing can be shared out by it. Share it out in another way.
WITHOUT_STOCK = { $sku } is a service, a digital item or a template: it has no stock.
WITHOUT_WEIGHT = What { $sku } weighs is not known, so nothing can be shared out by it. Share it out in another way, or leave the line out.
WRONG_ACCOUNT_KIND = { $expected ->
    [equity] This must be an account of equity.
    [revenue] This must be an account of revenue.
    [expense] This must be an account of expenses.
    [asset] This must be in a group of assets.
   *[liability] This must be in a group of liabilities.
}
WRONG_COMMODITY = Only { $expected } is posted to { $account }, not { $commodity }.
WRONG_DIMENSION = { $expected ->
    [party] This must be a party.
    [bank] This must be a bank account.
    [employee] This must be an employee.
    [cost_center] This must be a cost centre.
    [project] This must be a project.
   *[other] This must be a subsidiary account that is neither a party, a bank account nor an employee.
}
WRONG_LOCATION = Goods cannot go this way: choose another location.
WRONG_STATE = { $state ->
    [requested] This was only asked for: it must be picked first.
    [picked] This lies ready: it must be sent first.
    [in_transit] This is on its way: receive it.
    [received] This has been received: nothing more can be done about it.
    [open] This is still being counted: finish counting first.
    [review] Counting has ended: approve it, or let lines be counted again.
    [posted] This was posted: nothing more can be done about it.
    [expired] The time of this is over: nothing more can be done about it.
   *[other] This was called off.
}
WRONG_TYPE = { $expected ->
    [NUMBER] This must be a whole number.
    [DECIMAL] This must be a number. Write it as text, such as "2.5".
    [BOOLEAN] This must be yes or no.
    [DATE] This must be a date, such as 2026-03-21.
    [ENUM] This must be one of the options.
    [MULTI_ENUM] This must be a list of options.
    [REFERENCE] This must name an item or a category.
   *[other] This must be a text.
}

UNAUTHENTICATED = Please log in first.
FORBIDDEN = You may not do this. It needs the permission “{ $permission }”.
SERVICE_UNAVAILABLE = The service is not available just now. Please try again in a moment.
INTERNAL = Something went wrong on our side. If it stays so, tell support the request id { $requestId }.
EVENT_POSITION_EXPIRED = Events that far back are no longer kept. Load everything again and subscribe without a position.
EVENT_POSITION_UNKNOWN = This is not a position of an event that has happened.
INVALID_ID = “{ $value }” is not the id of { $expected }.

# Why a price cannot be told.

price-no-metal = Nothing is known of the metal of this item. Enter its metal and weight.
price-no-rate = There is no rate for this metal in this currency yet. Record one.
price-no-weight = A weight of this item is missing. Enter it.
price-no-attribute = The formula uses an attribute that this item does not have, or that is not a number.
price-no-duration = This price depends on a duration. Say how long.
price-formula-failed = The formula cannot be computed for this item: it divides by zero, or the numbers become too large.
price-out-of-range = The price would be negative or too large.

# Requests that are refused before they are executed. One message a reason; values are named in api/src/http/reason.rs.

batch = Batches are not supported: send one operation per request.
body-broke-off = The body broke off.
body-malformed = The body is not a GraphQL request in JSON: { $error }
body-too-large = The body is larger than { $max } bytes.
credential-invalid = The credential is not valid or has expired.
document-unparsable = The document cannot be parsed: { $error }
file-missing = The file “{ $file }” of “map” was not sent.
file-unknown = A file is not in “map”, or is sent twice.
form-malformed = The multipart body cannot be read: { $error }
form-too-large = The request is too large, or all its files together are.
map-malformed = “map” must give each file a list of exactly one path: { $error }
map-path-unknown = The path “{ $path }” of “map” leads nowhere in “operations”.
method-not-allowed = This address takes only { $allow }.
mutation-not-allowed = A mutation must be sent with { $allow }.
not-acceptable = Accept application/graphql-response+json, application/json or text/event-stream.
not-from-here = This is not told to clients at your address.
not-json = Send application/json or, with files, multipart/form-data.
not-utf8 = The charset must be UTF-8.
nothing-here = There is nothing at this address.
origin-not-allowed = This origin may not use the API with credentials.
parameter-malformed = The parameter “{ $name }” is not a JSON object: { $error }
parts-out-of-order = The parts must be “operations”, then “map”, then the files.
preflight-missing = A multipart request needs one of these headers, with any value: { $headers }.
query-missing = The parameter “query” is missing.
query-string-malformed = The query string cannot be read: { $error }
subscription-without-stream = Subscriptions need a WebSocket or the header “Accept: text/event-stream”.
timed-out = The request took too long and was stopped.
too-many-aliases = The document has more than { $max } aliases.
too-many-connections = Too many connections are open. Please try again in a moment.
too-many-definitions = The document has more than { $max } operations and fragments.
too-many-directives = The document has more than { $max } directives.
too-many-files = A request may carry at most { $max } files.
too-many-levels = The document has more than { $max } levels of brackets.
too-many-mutations = The document has more than { $max } mutations.
too-many-operations = At most { $max } operations may run on one connection.
too-many-requests = Too many requests are being worked on. Please try again in a moment.
too-many-streams = Too many streams are open. Please try again in a moment.
too-many-tokens = The document has more than { $max } tokens.
too-many-uploads = Too many uploads are being received. Please try again in a moment.
unhandled = The request cannot be handled.
upload-by-nobody = Log in to upload files.
upload-forbidden = You may not upload files.
websocket-handshake = This is not a WebSocket handshake.
websocket-protocol = The WebSocket protocol must be graphql-transport-ws.
