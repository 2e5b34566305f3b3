//! Everything that happens to a GraphQL request over HTTP before it is executed.

use std::sync::Arc;

use async_graphql::Executor;
use poem::{
    Body, Request,
    http::{Method, header},
};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Service,
    documents::{self, Documents},
    limits::OperationKind,
    multipart, params,
};
use crate::http::{
    auth::{Authenticate, Credentials},
    body,
    capacity::Capacity,
    context::RequestContext,
    error::HttpError,
    metrics::Field,
    reason::Reason,
    settings::HttpSettings,
};

/// Bytes of an operation's name in the log.
const LONGEST_LOGGED_NAME: usize = 80;

/// A request that may be executed.
pub(super) struct Ready<I> {
    pub(super) request: async_graphql::Request,
    pub(super) kind: OperationKind,
    pub(super) field: Field,
    pub(super) identity: I,
}

/// Receives requests; holds the places for multipart bodies.
pub(super) struct Receiver {
    uploads: Capacity,
}

/// A caller whose body may be read. The place of an upload is held until all of it is here.
struct Admitted<I> {
    identity: I,
    upload: Option<OwnedSemaphorePermit>,
}

impl Receiver {
    pub(super) fn new(settings: &HttpSettings) -> Self {
        Self {
            uploads: Capacity::new(settings.uploads.max_concurrent),
        }
    }

    /// Origin, credential, body, document, in this order: nothing is read for a caller who may not be here.
    pub(super) async fn receive<E: Executor, A: Authenticate>(
        &self,
        service: &Service<E, A>,
        mut request: Request,
        context: &Arc<RequestContext>,
    ) -> Result<Ready<A::Identity>, HttpError> {
        let body = request.take_body();
        let admitted = match self.admit(service, &request, context).await {
            Ok(admitted) => admitted,
            Err(error) => {
                body::drain(request.headers(), Box::pin(body.into_bytes_stream()));
                return Err(error);
            }
        };
        let mut parsed = read(&service.settings, &request, body, &admitted).await?;
        let documents::Admitted { kind, field } =
            check_document(&mut parsed, &service.documents, context)?;
        if kind == OperationKind::Mutation && *request.method() == Method::GET {
            return Err(HttpError::new(Reason::MutationNotAllowed).allowing("POST"));
        }
        let parsed = service
            .authenticate
            .prepare(parsed.data(kind), &admitted.identity, context);
        Ok(Ready {
            request: parsed,
            kind,
            field,
            identity: admitted.identity,
        })
    }

    async fn admit<E: Executor, A: Authenticate>(
        &self,
        service: &Service<E, A>,
        request: &Request,
        context: &Arc<RequestContext>,
    ) -> Result<Admitted<A::Identity>, HttpError> {
        check_origin(service, request)?;
        let is_upload = check_form(request)?;
        let identity = service
            .authenticate
            .authenticate(Credentials::new(request.headers()), context)
            .await?;
        if !is_upload {
            return Ok(Admitted {
                identity,
                upload: None,
            });
        }
        service.authenticate.may_upload(&identity)?;
        let place = self.uploads.enter().ok_or(Reason::TooManyUploads)?;
        Ok(Admitted {
            identity,
            upload: Some(place),
        })
    }
}

/// A browser that sends cookies says which page it sends them for; that page must be ours or a configured one.
fn check_origin<E, A>(service: &Service<E, A>, request: &Request) -> Result<(), HttpError> {
    let with_cookies = request.headers().contains_key(header::COOKIE);
    if with_cookies && !service.origins.admits(request) {
        Err(Reason::OriginNotAllowed.into())
    } else {
        Ok(())
    }
}

/// Whether the request is a multipart form. A form that a page of another site could send without asking is
/// refused: what is not JSON must carry a preflight header.
fn check_form(request: &Request) -> Result<bool, HttpError> {
    if *request.method() == Method::GET {
        return Ok(false);
    }
    if multipart::is_multipart(request.content_type()) {
        return multipart::expect_preflight(request.headers()).map(|()| true);
    }
    params::expect_json(request.content_type()).map(|()| false)
}

async fn read<I>(
    settings: &HttpSettings,
    request: &Request,
    body: Body,
    admitted: &Admitted<I>,
) -> Result<async_graphql::Request, HttpError> {
    if *request.method() == Method::GET {
        return params::from_query_string(request);
    }
    if admitted.upload.is_some() {
        let content_type = request.content_type().unwrap_or_default();
        return multipart::receive(request.headers(), content_type, body, settings).await;
    }
    params::from_json(&body::read(request.headers(), body, settings.max_body_bytes).await?)
}

/// The operation's name is logged, so only one that the document really has, and not all of a long one.
fn check_document(
    request: &mut async_graphql::Request,
    known: &Documents,
    context: &RequestContext,
) -> Result<documents::Admitted, HttpError> {
    let admitted = known.admit(request)?;
    let is_known = admitted.kind != OperationKind::Unknown;
    if let (Some(name), true) = (&request.operation_name, is_known) {
        context.set_operation(name.get(..LONGEST_LOGGED_NAME).unwrap_or(name));
    }
    Ok(admitted)
}
