//! Every reason why a request is refused before, or instead of, being executed.

use poem::http::StatusCode;

macro_rules! reasons {
    ($($(#[$doc:meta])+ $name:ident = $status:ident $code:literal $message:literal),+ $(,)?) => {
        /// Why a request is refused: with which status, which stable code for programs, and which message for people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason { $($(#[$doc])+ $name),+ }

        impl Reason {
            /// Every reason there is.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];

            /// The HTTP status.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }

            /// The stable code. Several reasons may share one.
            pub(crate) fn code(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// The name of its message in `locales`.
            pub(crate) fn message(self) -> &'static str {
                match self { $(Self::$name => $message),+ }
            }
        }
    };
}

reasons! {
    /// Several operations in one request.
    Batch = BAD_REQUEST "BAD_REQUEST" "batch",
    /// The body did not arrive whole.
    BodyBrokeOff = BAD_REQUEST "BAD_REQUEST" "body-broke-off",
    /// The body is no GraphQL request. Params: `error`.
    BodyMalformed = BAD_REQUEST "BAD_REQUEST" "body-malformed",
    /// A file that `map` names has not come. Params: `file`.
    FileMissing = BAD_REQUEST "BAD_REQUEST" "file-missing",
    /// A file that `map` does not name, or that came before.
    FileUnknown = BAD_REQUEST "BAD_REQUEST" "file-unknown",
    /// A multipart body that is none. Params: `error`.
    FormMalformed = BAD_REQUEST "BAD_REQUEST" "form-malformed",
    /// `map` does not have the form it must have. Params: `error`.
    MapMalformed = BAD_REQUEST "BAD_REQUEST" "map-malformed",
    /// `map` sends a file to no place in `operations`. Params: `path`.
    MapPathUnknown = BAD_REQUEST "BAD_REQUEST" "map-path-unknown",
    /// A parameter is no JSON object. Params: `name`, `error`.
    ParameterMalformed = BAD_REQUEST "BAD_REQUEST" "parameter-malformed",
    /// The parts of a form are not those we want, or not in our order.
    PartsOutOfOrder = BAD_REQUEST "BAD_REQUEST" "parts-out-of-order",
    /// There is no document.
    QueryMissing = BAD_REQUEST "BAD_REQUEST" "query-missing",
    /// The query string has the wrong form. Params: `error`.
    QueryStringMalformed = BAD_REQUEST "BAD_REQUEST" "query-string-malformed",
    /// A subscription over plain HTTP.
    SubscriptionWithoutStream = BAD_REQUEST "BAD_REQUEST" "subscription-without-stream",
    /// The router or the server did not want it.
    Unhandled = BAD_REQUEST "BAD_REQUEST" "unhandled",
    /// A WebSocket handshake that is none.
    WebSocketHandshake = BAD_REQUEST "BAD_REQUEST" "websocket-handshake",
    /// A WebSocket of another protocol.
    WebSocketProtocol = BAD_REQUEST "BAD_REQUEST" "websocket-protocol",
    /// A form that any page could have sent. Params: `headers`.
    PreflightMissing = BAD_REQUEST "PREFLIGHT_REQUIRED" "preflight-missing",
    /// The document cannot be parsed. Params: `error`.
    DocumentUnparsable = BAD_REQUEST "GRAPHQL_PARSE_FAILED" "document-unparsable",
    /// The document has too many aliases. Params: `max`.
    TooManyAliases = BAD_REQUEST "TOO_LARGE" "too-many-aliases",
    /// The document has too many operations and fragments. Params: `max`.
    TooManyDefinitions = BAD_REQUEST "TOO_LARGE" "too-many-definitions",
    /// The document has too many directives. Params: `max`.
    TooManyDirectives = BAD_REQUEST "TOO_LARGE" "too-many-directives",
    /// The document's brackets nest too deep. Params: `max`.
    TooManyLevels = BAD_REQUEST "TOO_LARGE" "too-many-levels",
    /// One request runs too many mutations. Params: `max`.
    TooManyMutations = BAD_REQUEST "TOO_LARGE" "too-many-mutations",
    /// The document has too many tokens. Params: `max`.
    TooManyTokens = BAD_REQUEST "TOO_LARGE" "too-many-tokens",
    /// The credential is wrong, expired or revoked.
    CredentialInvalid = UNAUTHORIZED "UNAUTHENTICATED" "credential-invalid",
    /// Nobody in particular sends files.
    UploadByNobody = UNAUTHORIZED "UNAUTHENTICATED" "upload-by-nobody",
    /// Somebody sends files who may not.
    UploadForbidden = FORBIDDEN "FORBIDDEN" "upload-forbidden",
    /// A browser page that may not use cookies here.
    OriginNotAllowed = FORBIDDEN "ORIGIN_NOT_ALLOWED" "origin-not-allowed",
    /// What is asked for is not told to those outside.
    NotFromHere = FORBIDDEN "FORBIDDEN" "not-from-here",
    /// Nothing is at this address.
    NothingHere = NOT_FOUND "NOT_FOUND" "nothing-here",
    /// The address does not take this method. Params: `allow`.
    MethodNotAllowed = METHOD_NOT_ALLOWED "METHOD_NOT_ALLOWED" "method-not-allowed",
    /// A mutation sent with a method that must not change anything. Params: `allow`.
    MutationNotAllowed = METHOD_NOT_ALLOWED "METHOD_NOT_ALLOWED" "mutation-not-allowed",
    /// The client wants a representation that we do not make.
    NotAcceptable = NOT_ACCEPTABLE "NOT_ACCEPTABLE" "not-acceptable",
    /// The body has too many bytes. Params: `max`.
    BodyTooLarge = PAYLOAD_TOO_LARGE "TOO_LARGE" "body-too-large",
    /// A form, or its files together, have too many bytes.
    FormTooLarge = PAYLOAD_TOO_LARGE "TOO_LARGE" "form-too-large",
    /// A form has too many files. Params: `max`.
    TooManyFiles = PAYLOAD_TOO_LARGE "TOO_LARGE" "too-many-files",
    /// One WebSocket runs too many operations. Params: `max`.
    TooManyOperations = PAYLOAD_TOO_LARGE "TOO_LARGE" "too-many-operations",
    /// The body is neither JSON nor a form.
    NotJson = UNSUPPORTED_MEDIA_TYPE "UNSUPPORTED_MEDIA_TYPE" "not-json",
    /// The body is in another charset.
    NotUtf8 = UNSUPPORTED_MEDIA_TYPE "UNSUPPORTED_MEDIA_TYPE" "not-utf8",
    /// Too many WebSockets are open.
    TooManyConnections = SERVICE_UNAVAILABLE "OVERLOADED" "too-many-connections",
    /// Too many requests are being worked on.
    TooManyRequests = SERVICE_UNAVAILABLE "OVERLOADED" "too-many-requests",
    /// Too many event streams are open.
    TooManyStreams = SERVICE_UNAVAILABLE "OVERLOADED" "too-many-streams",
    /// Too many uploads are being received.
    TooManyUploads = SERVICE_UNAVAILABLE "OVERLOADED" "too-many-uploads",
    /// Something we depend on does not answer.
    Unavailable = SERVICE_UNAVAILABLE "SERVICE_UNAVAILABLE" "SERVICE_UNAVAILABLE",
    /// The deadline passed; what was begun has been rolled back.
    TimedOut = GATEWAY_TIMEOUT "TIMEOUT" "timed-out",
    /// Our fault; the log has the story under the request id. Params: `requestId`.
    Internal = INTERNAL_SERVER_ERROR "INTERNAL" "INTERNAL",
}

impl Reason {
    /// Whether the request was well-formed and only its GraphQL document cannot be executed: then the status is 200 with plain
    /// `application/json`, where it only tells whether the request itself was understood.
    pub(crate) fn is_about_document(self) -> bool {
        matches!(
            self,
            Self::DocumentUnparsable
                | Self::TooManyAliases
                | Self::TooManyDefinitions
                | Self::TooManyDirectives
                | Self::TooManyLevels
                | Self::TooManyMutations
                | Self::TooManyTokens
        )
    }
}
