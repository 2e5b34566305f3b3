# What the shop's people read when something cannot be done. One message a code; values are named in domain/src/error.rs.

ALREADY_TAKEN = { $value ->
    [none] This value is already in use.
   *[other] “{ $value }” is already in use.
}
ARCHIVED = This is archived. Restore it first.
CYCLE = A category cannot be moved below itself.
DIMENSIONS_TOO_LARGE = The picture is { $width } × { $height } pixels; at most { $max } are taken.
GAVE_UP = This could not be processed. Please upload it again.
IDEMPOTENCY_KEY_REUSED = This idempotency key was used before for another request. Use a new one.
INVALID_CREDENTIALS = The e-mail address or the password is wrong.
INVALID_FORMAT = { $value ->
    [none] This does not have the form it must have.
   *[other] “{ $value }” does not have the form it must have.
}
INVALID_CHECK_DIGIT = The last digit of the barcode “{ $value }” does not fit the others. Please check for a typing mistake.
LAST_OWNER = This is the last owner. Make somebody else an owner first.
NOT_DEAD = Only a job that was given up can be tried again.
NOT_FOUND = { $value ->
    [none] There is nothing with this id.
   *[other] There is no “{ $value }”.
}
NOT_EMPTY = { $count ->
    [one] One item is still in it. Move or archive it first.
   *[other] { $count } items are still in it. Move or archive them first.
}
OUT_OF_RANGE = The number must be between { $min } and { $max }.
REQUIRED = This must be given.
STALE_VERSION = Somebody changed this meanwhile. Load it again, then make your change.
THROTTLED = Too many attempts. Wait { $seconds } seconds and try again.
TOO_DEEP = The tree may have at most { $max } levels.
TOO_LARGE = The file is too large; at most { $max } bytes are taken.
TOO_LONG = This is too long; at most { $max } characters are taken.
TOO_MANY = These are too many; at most { $max } are taken.
TOO_SHORT = This is too short; at least { $min } characters are needed.
UNREADABLE = The file is damaged and cannot be read.
UNSUPPORTED_TYPE = Files of this kind are not taken. Use JPEG, PNG, WebP or GIF.

UNAUTHENTICATED = Please log in first.
FORBIDDEN = You may not do this. It needs the permission “{ $permission }”.
SERVICE_UNAVAILABLE = The service is not available just now. Please try again in a moment.
INTERNAL = Something went wrong on our side. If it stays so, tell support the request id { $requestId }.
EVENT_POSITION_EXPIRED = Events that far back are no longer kept. Load everything again and subscribe without a position.
EVENT_POSITION_UNKNOWN = This is not a position of an event that has happened.
INVALID_ID = “{ $value }” is not the id of { $expected }.
