//! The proofs that a database which was restored is sound: that of the books, those of stock, and that of the trail.

use entity::stock_reconciliation::Subject;
use serde::{Deserialize, Serialize};

use super::Backups;
use crate::{
    error::Result,
    trail::{Checkpoints, Verdict, Verification},
    viewer::Viewer,
};

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What: such as `files`, `rows`, `totals`, `ledger`, `stock` or `trail`.
    pub name: String,
    /// Whether it is as it should be.
    pub is_sound: bool,
    /// What was found, for people.
    pub detail: String,
}

impl Check {
    /// Something that was looked at.
    pub fn new(name: &str, is_sound: bool, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            is_sound,
            detail: detail.into(),
        }
    }
}

/// What a proof of a backup has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Everything that was looked at, in that order. What comes behind a restore that failed could not be.
    pub checks: Vec<Check>,
    /// How long it took to get the database back, in milliseconds; none when it was not got back.
    pub restored_in: Option<u64>,
}

impl Report {
    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.is_sound)
    }
}

impl Backups<'_> {
    /// Makes every proof there is of the database that this domain is connected to.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn prove(&self, viewer: &Viewer) -> Result<Vec<Check>> {
        viewer.require_system()?;
        let mut checks = vec![self.prove_ledger(viewer).await?];
        for (name, subject) in [
            ("stock", Subject::Levels),
            ("series", Subject::Series),
            ("costs", Subject::Costs),
        ] {
            checks.push(self.prove_stock(viewer, name, subject).await?);
        }
        checks.push(self.prove_trail(viewer).await?);
        Ok(checks)
    }

    async fn prove_ledger(&self, viewer: &Viewer) -> Result<Check> {
        let differences = self.domain.journal().verify(viewer).await?;
        let first = differences.first().map_or_else(
            || "the books are what their lines make them".to_owned(),
            |first| {
                format!(
                    "{} differences, the first: {} {}",
                    differences.len(),
                    first.kind,
                    first.subject
                )
            },
        );
        Ok(Check::new("ledger", differences.is_empty(), first))
    }

    async fn prove_stock(&self, viewer: &Viewer, name: &str, subject: Subject) -> Result<Check> {
        let proof = self.domain.stock().prove(viewer, subject).await?;
        let detail = format!(
            "{} rows of {} movements, {} differences",
            proof.rows, proof.movements, proof.differences
        );
        Ok(Check::new(name, proof.differences == 0, detail))
    }

    async fn prove_trail(&self, viewer: &Viewer) -> Result<Check> {
        let mut state = Verification::default();
        while !state.is_done() {
            let trail = self.domain.trail();
            trail
                .verify_on(viewer, &mut state, &Checkpoints::new())
                .await?;
        }
        let detail = match (&state.finding, state.missing.first()) {
            (Some(finding), _) => format!("{:?} {} {}", finding.wrong, finding.table, finding.key),
            (None, Some(missing)) => format!("{} is not covered: {}", missing.table, missing.what),
            (None, None) => format!(
                "{} seals, {} sealed rows, {} kept rows",
                state.seals, state.rows, state.present
            ),
        };
        Ok(Check::new(
            "trail",
            state.verdict() == Verdict::Whole,
            detail,
        ))
    }
}
