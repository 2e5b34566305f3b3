//! The drill of operators, with little data: a shop loses its PostgreSQL under writers, and is got back.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_loses_less_with_the_archive_than_with_the_backup_of_the_night() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/drill.sh");
    let mut drill = tokio::process::Command::new(script);
    drill
        .args(["--seconds", "6", "--archive-timeout", "3", "--writers", "2"])
        .args(["--without-demo", "--json"])
        .env("BIN_DIR", process::folder());
    let done = tokio::time::timeout(LONG, drill.output()).await;
    let done = done.unwrap().unwrap();
    assert!(done.status.success(), "{done:?}");
    let found: Value = serde_json::from_slice(&done.stdout).unwrap();
    let [log, backup] = &found["results"].as_array().unwrap()[..] else {
        panic!("{found}")
    };
    let number = |way: &Value, name: &str| way[name].as_i64().unwrap();
    assert_eq!(
        (&log["way"], &backup["way"]),
        (&json!("log"), &json!("backup"))
    );
    for way in [log, backup] {
        assert!(number(way, "writes") > 0, "{found}");
        let (ready, written) = (
            number(way, "rtoMilliseconds"),
            number(way, "firstWriteMilliseconds"),
        );
        assert!(0 < ready && ready <= written, "{found}");
    }
    // What was written since the backup is gone with it; of the archive only the end is missing.
    assert!(number(backup, "rpoMilliseconds") >= 5_000, "{found}");
    assert!(
        number(log, "rpoMilliseconds") < number(backup, "rpoMilliseconds"),
        "{found}"
    );
    assert!(
        number(log, "lostWrites") < number(backup, "lostWrites"),
        "{found}"
    );
    assert!(
        number(backup, "lostWrites") < number(backup, "writes"),
        "{found}"
    );
}

#[test]
fn what_it_cannot_understand_it_does_not_begin() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/drill.sh");
    for arguments in [
        &["--seconds"][..],
        &["--seconds", "soon"],
        &["--writers", "0"],
        &["--elsewhere"],
    ] {
        let ended = Command::new(&script).args(arguments).output().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    }
    let help = Command::new(&script).arg("--help").output().unwrap();
    assert!(help.status.success() && !help.stdout.is_empty(), "{help:?}");
}
