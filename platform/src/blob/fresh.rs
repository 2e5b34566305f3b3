//! Names that may be used: those that were retired never are again, so that whoever removes their files may be as late as they like.

use domain::{Domain, Error, Result};

use super::BlobKey;

/// The keys under which these are to be stored, each in the first generation that was not retired. Between asking and referring to one it may still be
/// retired: then the database refuses the row ([`domain::Error::is_retired_file`]), and whoever stores the file again gets another name.
///
/// # Errors
/// When the database does not answer.
pub async fn fresh(domain: &Domain, keys: Vec<BlobKey>) -> Result<Vec<BlobKey>> {
    let names: Vec<_> = keys.iter().map(|key| key.as_str().to_owned()).collect();
    let generations = domain.retention().generations(names).await?;
    let named = keys.into_iter().zip(generations);
    Ok(named
        .map(|(key, generation)| key.in_generation(generation))
        .collect())
}

/// The same for one.
///
/// # Errors
/// When the database does not answer.
pub async fn fresh_one(domain: &Domain, key: BlobKey) -> Result<BlobKey> {
    let mut keys = fresh(domain, vec![key]).await?;
    keys.pop()
        .ok_or_else(|| Error::internal("a name without a generation"))
}
