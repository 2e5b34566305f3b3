//! The trail as something that can be proved: what anybody does behind its back is found.

mod checkpoints;
mod history;
mod sealing;
mod tampering;

use domain::{
    Viewer,
    trail::{Finding, Verdict, Verification, Wrong},
};
use sea_orm::sqlx::{self, AssertSqlSafe, Executor as _};
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::{Builder, TestApp},
};

fn system() -> Viewer {
    Viewer::system("test")
}

/// A shop where a little of everything has happened, all of it sealed.
struct Shop {
    app: TestApp,
    manager: Actor,
    category: String,
    tray: String,
    ring: String,
}

impl Shop {
    async fn open() -> Self {
        Self::of(TestApp::builder()).await
    }

    async fn of(builder: Builder) -> Self {
        let shop = Self::unsealed(builder).await;
        shop.seal().await;
        shop
    }

    async fn unsealed(builder: Builder) -> Self {
        let app = builder.start().await;
        let manager = app.manager().await;
        let category = manager.category("Rings", None).await;
        let tray = manager.location("TRAY", "TRAY", None).await;
        let ring = manager.item_kept("RING", &category, "NONE").await;
        let shop = Self {
            app,
            manager,
            category,
            tray,
            ring,
        };
        shop.trade().await;
        shop
    }

    async fn trade(&self) {
        let manager = &self.manager;
        manager.item("PLAIN", &self.category).await;
        manager.receive(&self.ring, &self.tray, 10).await;
        let pill = manager.item_kept("PILL", &self.category, "LOT").await;
        let lot = json!({"itemId": pill, "toId": self.tray, "quantity": 5, "unitCost": "3", "lot": {"number": "A"}});
        let bought = json!({"reason": "PURCHASED", "lines": [lot]});
        manager.done("stockReceive", bought).await;
        let held = json!({"consumer": "cart", "lines": [{"itemId": self.ring, "locationId": self.tray, "quantity": 2}]});
        manager.done("stockReserve", held).await;
        let rate = json!({"metal": "GOLD", "fineness": "750", "currency": "IRR", "pricePerGram": "100", "source": "market"});
        manager.done("metalRateRecord", rate).await;
        let chart = manager
            .done("accountTemplateApply", json!({"template": "JEWELLER"}))
            .await["accounts"]
            .take();
        let account = |code: &str| {
            let mut accounts = chart.as_array().unwrap().iter();
            accounts.find(|one| one["code"] == code).unwrap()["id"].clone()
        };
        let year = json!({"name": "1405", "startsOn": "2026-03-21", "endsOn": "2027-03-20"});
        manager.done("fiscalYearCreate", year).await;
        for amount in ["100", "200", "300"] {
            let lines = json!([{"accountId": account("1101"), "debit": amount}, {"accountId": account("4112"), "credit": amount}]);
            let entry = json!({"date": "2026-05-01", "lines": lines});
            manager.done("journalPost", entry).await;
        }
    }

    async fn seal(&self) {
        self.app.domain().trail().seal(&system()).await.unwrap();
    }

    /// All of the trail is looked at.
    async fn verify(&self) -> Verification {
        let trail = self.app.domain().trail();
        let mut state = trail.verify(&system(), None).await.unwrap();
        while !state.is_done() {
            let next = state.cursor().unwrap();
            state = trail.verify(&system(), Some(&next)).await.unwrap();
        }
        state
    }

    async fn assert_whole(&self) {
        let found = self.verify().await;
        assert_eq!(found.verdict(), Verdict::Whole, "{found:?}");
    }

    /// The first row that is not as it should be.
    async fn finding(&self) -> Finding {
        let found = self.verify().await;
        found.finding.unwrap_or_else(|| panic!("nothing was found"))
    }

    /// Behind the back of all triggers of the table.
    async fn behind(&self, table: &str, sql: &str) -> Result<(), sqlx::Error> {
        let sql = format!(
            "BEGIN; SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE {table} DISABLE TRIGGER USER; {sql}; ALTER TABLE {table} ENABLE TRIGGER USER; COMMIT"
        );
        let mut connection = self.app.sql().acquire().await.unwrap();
        let done = connection.execute(AssertSqlSafe(sql)).await;
        if done.is_err() {
            connection.execute("ROLLBACK").await.unwrap();
        }
        done.map(|_| ())
    }

    async fn text(&self, sql: &str) -> String {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_one(self.app.sql())
            .await
            .unwrap()
    }

    async fn found(&self, table: &str, sql: &str) -> (Wrong, String, String) {
        self.behind(table, sql).await.unwrap();
        let finding = self.finding().await;
        (finding.wrong, finding.table, finding.key)
    }
}

/// A report as clients get it.
async fn report(actor: &Actor) -> Value {
    let query = "{ auditVerify { verdict rows retired present unsealed seal sealedAt finding { fault table key seal } missing { table what } \
                 next coverage { table cover by } } }";
    actor.ok(query, json!({})).await["auditVerify"].take()
}
