//! Documents that are asked over and over are parsed once.
//!
//! A client has a few documents and sends them all day with other variables, and parsing one takes longer than anything else about a
//! simple request but its SQL. Mutations are always parsed: a careless client may have written a password into one, and such a text
//! is not to be kept.

use std::sync::Arc;

use async_graphql::{
    Request,
    parser::types::{ExecutableDocument, OperationType},
};
use moka::sync::Cache;

use super::limits::{self, DocumentLimits, OperationKind};
use crate::http::{
    error::HttpError,
    metrics::{Field, HttpMetrics, Outcome},
};

/// Bytes of all the documents that are remembered. Parsed, one takes up to some thirty times as much.
const REMEMBERED_MAX: u64 = 512 * 1024;
/// Bytes of one of them.
const LONGEST: usize = 16 * 1024;

/// What a document that keeps the limits is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// What its operation is.
    pub(crate) kind: OperationKind,
    /// Which field of the root it asks for, to be counted by.
    pub(crate) field: Field,
}

/// Parses documents within their limits, and remembers those that were.
pub(crate) struct Documents {
    limits: DocumentLimits,
    counts: HttpMetrics,
    known: Cache<String, Arc<ExecutableDocument>>,
}

impl Documents {
    pub(crate) fn new(limits: DocumentLimits, counts: HttpMetrics) -> Self {
        let weight = |text: &String, _: &_| u32::try_from(text.len()).unwrap_or(u32::MAX);
        let known = Cache::builder()
            .weigher(weight)
            .max_capacity(REMEMBERED_MAX)
            .build();
        Self {
            limits,
            counts,
            known,
        }
    }

    /// Says what the request is to run, and leaves the parsed document in it. One that is not admitted is counted here: nobody else will.
    ///
    /// # Errors
    /// Those of [`limits::parse`] and [`limits::kind`].
    pub(crate) fn admit(&self, request: &mut Request) -> Result<Admitted, HttpError> {
        let admitted = self.read(request);
        if admitted.is_err() {
            let operations = self.counts.operations();
            operations.ended(operations.unknown(), Outcome::Invalid, None);
        }
        admitted
    }

    fn read(&self, request: &mut Request) -> Result<Admitted, HttpError> {
        let document = match self.known.get(&request.query) {
            Some(document) => {
                self.counts.document_known();
                document
            }
            None => self.meet(&request.query)?,
        };
        let name = request.operation_name.as_deref();
        let kind = limits::kind(&document, name, &self.limits)?;
        let field = self.counts.operations().field(&document, name, kind);
        request.set_parsed_query(Arc::unwrap_or_clone(document));
        Ok(Admitted { kind, field })
    }

    fn meet(&self, text: &str) -> Result<Arc<ExecutableDocument>, HttpError> {
        let document = Arc::new(limits::parse(text, &self.limits)?);
        self.counts.document_parsed(&document);
        if text.len() <= LONGEST && only_reads(&document) {
            self.known.insert(text.to_owned(), Arc::clone(&document));
        }
        Ok(document)
    }
}

fn only_reads(document: &ExecutableDocument) -> bool {
    let mut operations = document.operations.iter();
    operations.all(|(_, operation)| operation.node.ty != OperationType::Mutation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::tests::counts;

    fn documents() -> Documents {
        Documents::new(DocumentLimits::default(), counts())
    }

    fn is_known(documents: &Documents, text: &str) -> bool {
        documents.known.contains_key(text)
    }

    #[test]
    fn a_document_is_parsed_once_and_means_the_same_each_time() {
        let documents = documents();
        let both = "query A { a } subscription B { b }";
        for _ in 0..2 {
            for (name, kind) in [
                ("A", OperationKind::Query),
                ("B", OperationKind::Subscription),
                ("C", OperationKind::Unknown),
            ] {
                let mut request = Request::new(both).operation_name(name);
                assert_eq!(documents.admit(&mut request).unwrap().kind, kind);
                assert_eq!(request.parsed_query().unwrap().operations.iter().count(), 2);
            }
        }
        assert!(is_known(&documents, both));
    }

    #[test]
    fn what_could_hold_a_secret_or_much_memory_is_not_remembered() {
        let documents = documents();
        let long = format!("{{ a{} }}", " ".repeat(LONGEST));
        for text in ["mutation { login(password: \"secret\") }", &long] {
            documents.admit(&mut Request::new(text)).unwrap();
            assert!(!is_known(&documents, text));
        }
    }

    #[test]
    fn what_was_refused_is_refused_again() {
        let documents = documents();
        for _ in 0..2 {
            assert!(documents.admit(&mut Request::new("{ a")).is_err());
        }
        let mutation = format!("mutation {{ {} }}", "a ".repeat(21));
        for _ in 0..2 {
            assert!(
                documents
                    .admit(&mut Request::new(mutation.as_str()))
                    .is_err()
            );
        }
    }
}
