//! Running one test of this binary in a process of its own, for what must not happen in this one:
//! dying in the middle of a put, another environment, a look at the peak of memory.

use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Says to a test that it is the child, and on which folder it works.
const FOLDER: &str = "BLOB_TEST_FOLDER";

/// The folder given to this process if it is a child.
pub(super) fn folder() -> Option<std::path::PathBuf> {
    std::env::var_os(FOLDER).map(Into::into)
}

/// Starts the ignored test `name` (its whole path) on `folder`.
pub(super) fn start(name: &str, folder: &Path, environment: &[(&str, &str)]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the ignored test `name` on `folder` to its end, which must be a good one.
pub(super) fn run(name: &str, folder: &Path, environment: &[(&str, &str)]) {
    let output = start(name, folder, environment).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    let ran = said.contains("1 passed");
    assert!(output.status.success() && ran, "{said}\n{complained}");
}
