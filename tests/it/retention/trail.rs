//! The trail is kept for a time where somebody says so: whole months go, and what is left is proved as before.

use domain::Viewer;
use sea_orm::sqlx::{self, Executor as _};
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::TestApp,
    database,
    process::{Ended, run},
    wait::PATIENCE,
};

/// All that was written up to now was written in two months long ago, by turns.
const LONG_AGO: &str = "
    ALTER TABLE audit DISABLE TRIGGER USER; ALTER TABLE trail_change DISABLE TRIGGER USER; ALTER TABLE audit_before DISABLE TRIGGER USER;
    ALTER TABLE audit DETACH PARTITION audit_before;
    UPDATE audit_before SET written_at = '2014-01-10';
    ALTER TABLE audit ATTACH PARTITION audit_before FOR VALUES FROM (MINVALUE) TO ('2014-02-01');
    CREATE TABLE audit_2014_02 PARTITION OF audit FOR VALUES FROM ('2014-02-01') TO ('2014-03-01');
    CREATE TABLE trail_change_2014_01 PARTITION OF trail_change FOR VALUES FROM ('2014-01-01') TO ('2014-02-01');
    CREATE TABLE trail_change_2014_02 PARTITION OF trail_change FOR VALUES FROM ('2014-02-01') TO ('2014-03-01');
    UPDATE audit SET written_at = '2014-02-10' WHERE number % 2 = 0;
    UPDATE trail_change SET written_at = CASE number % 2 WHEN 0 THEN '2014-02-10'::timestamptz ELSE '2014-01-10' END;
    ALTER TABLE audit ENABLE TRIGGER USER; ALTER TABLE trail_change ENABLE TRIGGER USER; ALTER TABLE audit_before ENABLE TRIGGER USER";

const OLD: &str = "SELECT (SELECT count(*) FROM audit WHERE written_at < '2015-01-01') + (SELECT count(*) FROM trail_change WHERE written_at < '2015-01-01')";

const MONTHS: [&str; 4] = [
    "audit_before",
    "audit_2014_02",
    "trail_change_2014_01",
    "trail_change_2014_02",
];

const PROOF: &str =
    "{ auditVerify { verdict present retired retiredByPolicy finding { fault table key }
    retirements { table rows since until keptDays by reason } } }";

/// A shop whose trail is old.
struct Old {
    app: TestApp,
    owner: Actor,
    category: String,
}

impl Old {
    async fn unsealed() -> Self {
        let app = TestApp::start().await;
        let owner = app.owner().await;
        let category = owner.category("Rings", None).await;
        for sku in ["RING-1", "RING-2", "RING-3"] {
            owner.item(sku, &category).await;
        }
        let shop = Self {
            app,
            owner,
            category,
        };
        shop.behind(LONG_AGO).await;
        shop
    }

    /// As whoever owns the database.
    async fn behind(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(self.app.sql()).await.unwrap();
    }

    /// All of it sealed, and its policy enabled.
    async fn sealed() -> Self {
        let shop = Self::unsealed().await;
        shop.seal().await;
        shop.enable().await;
        shop
    }

    async fn seal(&self) {
        let viewer = Viewer::system("test");
        self.app.domain().trail().seal(&viewer).await.unwrap();
    }

    async fn enable(&self) {
        let on = json!({"subject": "AUDIT", "enabled": true});
        self.owner.done("retentionPolicyUpdate", on).await;
    }

    async fn old(&self) -> i64 {
        self.app.count(OLD).await
    }

    /// Which of its old months are still there.
    async fn months(&self) -> Vec<String> {
        let sql = "SELECT name FROM unnest($1::text[]) name WHERE to_regclass(name) IS NOT NULL";
        let months = sqlx::query_scalar(sql).bind(&MONTHS[..]);
        months.fetch_all(self.app.sql()).await.unwrap()
    }

    async fn worker(&self, arguments: &[&str]) -> Ended {
        run("worker", arguments, self.app.variables(), "", PATIENCE).await
    }

    /// What a clearing up at the machine has done to the trail: rows, bytes, and whether older things stay.
    async fn cleared(&self, arguments: &[&str]) -> (i64, i64, bool) {
        let arguments = [&["retention", "--json"], arguments].concat();
        let ended = self.worker(&arguments).await;
        assert!(ended.status.success(), "{ended:?}");
        let report: Value = serde_json::from_str(&ended.output).unwrap();
        let mut outcomes = report["outcomes"].as_array().unwrap().iter();
        let audit = outcomes.find(|outcome| outcome["subject"] == "audit");
        let audit = audit.unwrap();
        let number = |name: &str| audit[name].as_i64().unwrap();
        let time = |name: &str| audit[name].as_str().unwrap_or_default().to_owned();
        let stays = time("oldest_kept") < time("older_than");
        (number("row_count"), number("byte_count"), stays)
    }

    async fn proof(&self) -> Value {
        self.seal().await;
        self.owner.ok(PROOF, json!({})).await["auditVerify"].take()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn months_go_when_the_policy_says_so_and_are_no_finding() {
    let shop = Old::unsealed().await;
    let old = shop.old().await;
    assert!(old > 10, "{old}");
    // Nobody has said so.
    let policies = "{ retentionPolicies { subject keepDays minimumDays enabled } }";
    let policies = shop.owner.ok(policies, json!({})).await;
    let mut policies = policies["retentionPolicies"].as_array().unwrap().iter();
    let policy = policies.find(|policy| policy["subject"] == "AUDIT");
    let expected =
        json!({"subject": "AUDIT", "keepDays": 3653, "minimumDays": 1827, "enabled": false});
    assert_eq!(policy, Some(&expected));
    assert_eq!(shop.cleared(&[]).await, (0, 0, false));
    // What is not sealed stays, whatever the policy says.
    shop.enable().await;
    assert_eq!(shop.cleared(&[]).await, (0, 0, true));
    assert_eq!((shop.months().await.len(), shop.old().await), (4, old));

    let before = shop.proof().await;
    assert_eq!(
        (
            &before["verdict"],
            &before["retired"],
            &before["retirements"]
        ),
        (&json!("WHOLE"), &json!(0), &json!([])),
        "{before}"
    );
    let (rows, bytes, stays) = shop.cleared(&["--dry-run"]).await;
    assert_eq!((rows, bytes > 0, stays), (old, true, false));
    assert_eq!(shop.old().await, old, "a look removes nothing");
    let (gone, freed, stays) = shop.cleared(&[]).await;
    assert_eq!((gone, freed > 0, stays), (rows, true, false));
    assert_eq!((shop.months().await, shop.old().await), (Vec::new(), 0));

    let after = shop.proof().await;
    assert_eq!(after["verdict"], "WHOLE", "{after}");
    assert_eq!(
        (&after["retired"], &after["retiredByPolicy"]),
        (&json!(old), &json!(old))
    );
    assert!(after["present"].as_i64() >= before["present"].as_i64());
    let retirements = after["retirements"].as_array().unwrap();
    assert_eq!(retirements.len(), MONTHS.len(), "{after}");
    let told: i64 = retirements
        .iter()
        .map(|one| one["rows"].as_i64().unwrap())
        .sum();
    assert_eq!(told, old);
    for one in retirements {
        let expected = json!({"keptDays": 3653, "by": "Retention", "reason": "The policy keeps it for 3653 days."});
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&one[name], value, "{one}");
        }
        assert!(
            one["since"].as_str().unwrap().starts_with("2014-0"),
            "{one}"
        );
    }
    // The same at the machine, and as the trail itself tells it.
    let told = shop.worker(&["audit-verify"]).await;
    assert!(told.status.success(), "{told:?}");
    let line = format!("{old} were retired, {old} of them by the policy");
    assert!(told.output.contains(&line), "{told:?}");
    let audited =
        "SELECT count(*) FROM audit WHERE action = 'trail.retire' AND after->>'keptDays' = '3653'";
    assert_eq!(shop.app.count(audited).await, 4);
    // What has not changed since is carried on, and goes on.
    let history = "query($of: ID!) { history(of: $of) { nodes { operation } } }";
    let history = shop.owner.ok(history, json!({"of": shop.category})).await;
    assert_eq!(
        history["history"]["nodes"],
        json!([{"operation": "CARRIED"}])
    );
    shop.owner.item("RING-4", &shop.category).await;
    assert_eq!(shop.cleared(&[]).await, (0, 0, false));
    assert_eq!(shop.proof().await["verdict"], "WHOLE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_that_was_dropped_by_hand_is_found_and_a_policy_does_not_hide_it() {
    let shop = Old::sealed().await;
    shop.behind("ALTER TABLE audit DETACH PARTITION audit_before; DROP TABLE audit_before")
        .await;
    let found = shop.proof().await;
    assert_eq!(found["verdict"], "BROKEN", "{found}");
    let fault = json!({"fault": "DELETED", "table": "audit", "key": "1"});
    assert_eq!(found["finding"], fault);
    // The months of changes go; the one whose numbers lie among those that are gone by hand stays.
    let (rows, _, stays) = shop.cleared(&[]).await;
    assert!(rows > 0 && stays);
    assert_eq!(shop.months().await, ["audit_2014_02"]);
    let found = shop.proof().await;
    assert_eq!(found["finding"], fault, "{found}");
    assert_eq!(found["verdict"], "BROKEN");
    // Emptied by hand, it is nothing that could go, and what was in it is missed.
    shop.behind("ALTER TABLE audit_2014_02 DISABLE TRIGGER USER; DELETE FROM audit_2014_02")
        .await;
    assert_eq!(shop.cleared(&[]).await.0, 0);
    assert_eq!(shop.proof().await["finding"], fault);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_that_is_not_as_it_was_sealed_stays_for_the_proof() {
    let shop = Old::sealed().await;
    shop.behind(
        "ALTER TABLE audit_2014_02 DISABLE TRIGGER USER; UPDATE audit_2014_02 SET actor_name = 'Somebody else' WHERE number = 4;
             ALTER TABLE audit_2014_02 ENABLE TRIGGER USER",
    )
    .await;
    let look = shop.cleared(&["--dry-run"]).await;
    let done = shop.cleared(&[]).await;
    assert_eq!((look.0, look.2), (done.0, done.2));
    assert!(done.0 > 0 && done.2, "{done:?}");
    // The other month of the same table has numbers on both sides of it.
    assert_eq!(shop.months().await, ["audit_before", "audit_2014_02"]);
    let found = shop.proof().await;
    let fault = json!({"fault": "CHANGED", "table": "audit", "key": "4"});
    assert_eq!(found["finding"], fault, "{found}");
    let refused = shop
        .app
        .sql()
        .execute("SELECT trail_retire('2100-01-01', 'the owner', 'ten years are over')")
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("what is not as it was sealed"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn while_everything_is_held_no_month_goes_not_even_by_the_owner_of_the_database() {
    let shop = Old::sealed().await;
    let old = shop.old().await;
    let held = json!({"reason": "The court wants to see everything."});
    shop.owner.done("legalHoldSet", held).await;
    assert!(!shop.worker(&["retention"]).await.status.success());
    let app = database::pool(&shop.app.database_url());
    let by_hand = "SELECT trail_retire('2100-01-01', 'the owner', 'ten years are over')";
    for (db, sql) in [
        (&app, "SELECT * FROM retention_remove('audit', 1)"),
        (shop.app.sql(), "SELECT * FROM retention_remove('audit', 1)"),
        (shop.app.sql(), by_hand),
    ] {
        let refused = db.execute(sql).await.unwrap_err();
        let constraint = refused.as_database_error().unwrap().constraint();
        assert_eq!(constraint, Some("retention_held"), "{sql}: {refused}");
    }
    assert_eq!((shop.months().await.len(), shop.old().await), (4, old));
    // A look is allowed.
    let (rows, ..) = shop.cleared(&["--dry-run"]).await;
    assert_eq!(rows, old);
    shop.owner.done("legalHoldSet", json!({})).await;
    assert_eq!(shop.cleared(&[]).await.0, old);
    assert_eq!(shop.proof().await["verdict"], "WHOLE");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_drops_nothing_that_the_policy_keeps() {
    let shop = Old::sealed().await;
    let app = database::pool(&shop.app.database_url());
    for sql in [
        "SELECT trail_drop('audit_before', 'audit', 'me', 'no reason', 1)",
        "SELECT trail_retire('2100-01-01', 'me', 'no reason')",
        "ALTER TABLE audit DETACH PARTITION audit_before",
        "DROP TABLE audit_before",
        "UPDATE retention_policy SET keep_days = 1826 WHERE subject = 'audit'",
        "DELETE FROM retention_policy WHERE subject = 'audit'",
        "UPDATE trail_retired SET kept_days = 1",
    ] {
        assert!(app.execute(sql).await.is_err(), "{sql}");
    }
    // What was written within the least that there may be stays, though the policy is at its least.
    let young = "CREATE TABLE audit_young PARTITION OF audit FOR VALUES FROM ('2014-03-01') TO (date_trunc('month', now(), 'UTC') - interval '4 years');
        INSERT INTO audit (at, actor_kind, actor_name, action, aggregate_type, aggregate_id, written_at)
        VALUES (now(), 'system', 'test', 'test', 'test', gen_random_uuid(), now() - interval '4 years 2 months')";
    shop.behind(young).await;
    shop.seal().await;
    app.execute("UPDATE retention_policy SET keep_days = 1827 WHERE subject = 'audit'")
        .await
        .unwrap();
    assert_eq!(
        shop.cleared(&[]).await.0,
        shop.app
            .count("SELECT sum(rows)::int8 FROM trail_retired")
            .await
    );
    let left = "SELECT count(*) FROM audit_young";
    assert_eq!(shop.app.count(left).await, 1);
    assert_eq!(shop.months().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_the_trail_for_long_is_not_in_the_way_nor_waited_for() {
    let shop = Old::sealed().await;
    let old = shop.old().await;
    let mut reading = shop.app.sql().begin().await.unwrap();
    reading.execute("SELECT FROM audit LIMIT 1").await.unwrap();
    reading
        .execute("SELECT FROM trail_change LIMIT 1")
        .await
        .unwrap();
    let (rows, _, stays) = shop.cleared(&[]).await;
    assert_eq!((rows, stays), (0, true));
    assert_eq!(shop.months().await.len(), 4);
    reading.commit().await.unwrap();
    assert_eq!(shop.cleared(&[]).await.0, old);
    assert_eq!(shop.proof().await["verdict"], "WHOLE");
}
