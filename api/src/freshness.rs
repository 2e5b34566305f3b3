//! Lets the queries of a user be read from a replica that lacks nothing of what they have written or been told.
//!
//! It stands around the executor, so that every transport comes through here. Without replicas it does nothing. Whoever has not logged in reads
//! from the primary, and so does everybody while Redis does not say what they must not miss.

use std::{
    any::{Any, TypeId},
    sync::Arc,
};

use async_graphql::{Data, Executor, Request, Response};
use domain::{Domain, Viewer};
use entity::id::UserId;
use futures_util::{StreamExt, stream::BoxStream};
use platform::own_writes::{Own, OwnWrites};

use crate::{graphql::loader::Loaders, http::OperationKind};

/// An executor whose queries may be read from replicas.
#[derive(Clone)]
pub(crate) struct Fresh<E> {
    executor: E,
    domain: Domain,
    writes: OwnWrites,
}

impl<E: Executor> Fresh<E> {
    pub(crate) fn new(executor: E, domain: Domain, writes: OwnWrites) -> Self {
        Self {
            executor,
            domain,
            writes,
        }
    }

    /// The same request, with a domain and loaders that read from a replica if one will do.
    async fn routed(&self, request: Request, viewer: Viewer, user: UserId) -> Request {
        match self.writes.of(user.0).await {
            Ok(Own::UpTo(position)) => {
                let domain = self.domain.reading_after(position);
                let loaders = Loaders::fresh(domain.clone(), viewer);
                request.data(domain).data(loaders)
            }
            Ok(Own::UnderWay) => request,
            Err(error) => {
                tracing::debug!(%error, "nobody knows what the viewer must not miss");
                request
            }
        }
    }

    /// A mutation whose end is not kept stays under way, and its user reads from the primary for some minutes.
    async fn mutate(&self, request: Request, user: UserId) -> Response {
        if let Err(error) = self.writes.begun(user.0).await {
            tracing::warn!(%error, "a mutation begins that replicas are not told of");
        }
        let response = self.executor.execute(request).await;
        match self.domain.position().await {
            Ok(position) => {
                if let Err(error) = self.writes.ended(user.0, position).await {
                    tracing::warn!(%error, "a mutation ends that replicas are not told of");
                }
            }
            Err(error) => tracing::warn!(%error, "a mutation ends nobody knows where"),
        }
        response
    }
}

/// Keeps that the user is told of something that has been committed by now: what they ask next is about it.
async fn tell(domain: &Domain, writes: &OwnWrites, user: UserId) {
    match domain.position().await {
        Ok(position) => {
            if let Err(error) = writes.told(user.0, position).await {
                tracing::debug!(%error, "replicas are not told of what was heard");
            }
        }
        Err(error) => tracing::debug!(%error, "something is heard nobody knows from where"),
    }
}

impl<E: Executor> Executor for Fresh<E> {
    async fn execute(&self, request: Request) -> Response {
        if self.domain.has_replicas()
            && let Some((viewer, user)) = asking(&request)
        {
            match carried::<OperationKind>(&request).copied() {
                Some(OperationKind::Query) => {
                    let request = self.routed(request, viewer, user).await;
                    return self.executor.execute(request).await;
                }
                Some(OperationKind::Mutation) => return self.mutate(request, user).await,
                Some(OperationKind::Subscription | OperationKind::Unknown) | None => {}
            }
        }
        self.executor.execute(request).await
    }

    fn execute_stream(
        &self,
        request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let user = asking(&request).filter(|_| self.domain.has_replicas());
        let results = self.executor.execute_stream(request, session_data);
        let Some((_, user)) = user else {
            return results;
        };
        let (domain, writes) = (self.domain.clone(), self.writes.clone());
        results
            .then(move |response| {
                let (domain, writes) = (domain.clone(), writes.clone());
                async move {
                    tell(&domain, &writes, user).await;
                    response
                }
            })
            .boxed()
    }
}

/// The user who is asking, if it is one.
fn asking(request: &Request) -> Option<(Viewer, UserId)> {
    let viewer = carried::<Viewer>(request)?;
    Some((viewer.clone(), viewer.user_id()?))
}

fn carried<T: Any + Send + Sync>(request: &Request) -> Option<&T> {
    request.data.get(&TypeId::of::<T>())?.downcast_ref()
}
