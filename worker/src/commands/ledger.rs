//! `worker ledger-verify`: the proof that the books are what their lines make them.

use domain::{
    Viewer,
    journal::{Difference, Proof},
};
use platform::config::Config;
use worker::service::{StartError, context};

use super::say;

/// Makes the proof; fails unless everything is as it should be.
pub(crate) async fn run(config: &Config) -> Result<(), StartError> {
    let domain = context(config)?.domain;
    let viewer = Viewer::system("command line");
    let proof = domain.journal().prove(&viewer).await?;
    tell(&proof);
    if proof.count == 0 {
        Ok(())
    } else {
        Err("the books are not what their lines make them".into())
    }
}

fn tell(proof: &Proof) {
    let Proof {
        as_of,
        count,
        differences,
    } = proof;
    for difference in differences {
        say(&line(difference));
    }
    let as_of = as_of.to_rfc3339();
    match differences.len() {
        0 => say(&format!(
            "the books of {as_of} are what their lines make them"
        )),
        shown => say(&format!(
            "{count} differences in the books of {as_of}, {shown} of them above"
        )),
    }
}

fn line(difference: &Difference) -> String {
    let Difference {
        kind,
        subject,
        expected,
        actual,
    } = difference;
    let expected = expected.as_deref().unwrap_or("nothing");
    let actual = actual.as_deref().unwrap_or("nothing");
    format!("{kind} {subject}: {actual} instead of {expected}")
}
