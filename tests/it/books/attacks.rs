//! What somebody tries who has the application's password, and psql: the database refuses it by itself. And what the owner bends is found.

use sea_orm::sqlx::{self, AssertSqlSafe, Executor as _, PgPool};
use serde_json::json;
use tests::database;

use super::{Books, text};

/// Tries it as one transaction, deferred constraints included, and tells what PostgreSQL says: the constraint, or the code.
pub(super) async fn tried(db: &PgPool, sql: &str) -> String {
    let mut connection = db.acquire().await.unwrap();
    let result = connection
        .execute(AssertSqlSafe(format!("BEGIN; {sql}; COMMIT")))
        .await;
    let told = match result {
        Ok(_) => "done".to_owned(),
        Err(error) => {
            let error = error
                .as_database_error()
                .unwrap_or_else(|| panic!("{sql}: {error}"));
            let code = error.code().unwrap().into_owned();
            error.constraint().map_or(code, str::to_owned)
        }
    };
    connection.execute("ROLLBACK").await.unwrap();
    told
}

const ID: &str = "01930000-0000-7000-8000-00000000e001";

/// The head of an entry of so many lines, with the number that is this much behind the last.
fn head(kind: &str, date: &str, lines: i32, step: i32, reverses: &str) -> String {
    format!(
        "INSERT INTO journal_entry (id, fiscal_year_id, number, date, kind, lines, recorded_at, actor_kind, actor_name, reverses_id) \
         SELECT '{ID}', f.id, q.last_number + {step}, '{date}', '{kind}', {lines}, now(), 'system', 'psql', ({reverses}) \
         FROM fiscal_year f JOIN journal_sequence q ON q.fiscal_year_id = f.id WHERE f.name = '1405'; "
    )
}

/// Lines of it: number, account, commodity, whether it is a debit, and how much.
fn lines(rows: &str) -> String {
    format!(
        "INSERT INTO journal_line (entry_id, line, account_id, commodity, is_debit, amount, date, number) \
         SELECT e.id, v.line, a.id, v.commodity, v.is_debit, v.amount, e.date, e.number \
         FROM journal_entry e, (VALUES {rows}) v (line, code, commodity, is_debit, amount) LEFT JOIN account a ON a.code = v.code WHERE e.id = '{ID}'; "
    )
}

fn two(rows: &str) -> String {
    format!(
        "{}{}",
        head("general", "2026-05-01", 2, 1, "NULL::uuid"),
        lines(rows)
    )
}

const GOOD: &str = "(1, '1101', 'IRR', true, 1), (2, '4112', 'IRR', false, 1)";

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_round_the_rules_with_psql() {
    let books = Books::open().await;
    books.post(books.sale("2026-05-01", "7")).await;
    books
        .manager
        .done("accountArchive", json!({"id": books.id("1102")}))
        .await;
    let months = "UPDATE period SET closed_at = now(), version = 2 WHERE ends_on < '2025-05-01'";
    let db = database::pool(&books.app.database_url());
    assert_eq!(tried(&db, months).await, "done");
    let good = || head("general", "2026-05-01", 2, 1, "NULL::uuid");
    let original = "SELECT id FROM journal_entry WHERE number = 1 AND kind = 'general'";
    let mirror = |amount: &str, date: &str| {
        format!(
            "{}{}",
            head("reversal", date, 2, 1, original),
            lines(&format!(
                "(1, '1101', 'IRR', false, {amount}), (2, '4112', 'IRR', true, {amount})"
            ))
        )
    };
    let copied = |from: &str| {
        format!(
            "INSERT INTO journal_line (entry_id, line, account_id, commodity, is_debit, amount, date, number) SELECT {from} FROM journal_line l"
        )
    };
    let attacks = [
        // What was posted stays.
        ("UPDATE journal_line SET amount = 1".to_owned(), "42501"),
        ("DELETE FROM journal_line".to_owned(), "42501"),
        ("TRUNCATE journal_line".to_owned(), "42501"),
        ("UPDATE journal_entry SET description = 'x'".to_owned(), "42501"),
        ("DELETE FROM journal_entry".to_owned(), "42501"),
        ("ALTER TABLE journal_line DISABLE TRIGGER ALL".to_owned(), "42501"),
        ("DROP TRIGGER journal_line_posts ON journal_line".to_owned(), "42501"),
        ("SET session_replication_role = replica".to_owned(), "42501"),
        // Turnovers and numbers follow.
        ("UPDATE account_turnover SET debit = 0".to_owned(), "42501"),
        ("INSERT INTO account_turnover SELECT account_id, 'USD', span, since, 1, 1 FROM account_turnover".to_owned(), "42501"),
        ("UPDATE journal_sequence SET last_number = 0".to_owned(), "42501"),
        ("INSERT INTO commodity VALUES ('ABC', 'currency', 2)".to_owned(), "42501"),
        // Entries are whole.
        (good(), "journal_entry_whole"),
        (format!("{}{}", two(GOOD), good().replace(ID, "01930000-0000-7000-8000-00000000e004")), "journal_entry_whole"),
        (format!("{}{}", good(), lines("(1, '1101', 'IRR', true, 1)")), "journal_entry_whole"),
        (format!("{}{}{}", good(), lines("(1, '1101', 'IRR', true, 1)"), lines("(2, '4112', 'IRR', false, 1)")), "journal_entry_whole"),
        (two("(1, '1101', 'IRR', true, 1), (3, '4112', 'IRR', false, 1)"), "journal_entry_whole"),
        (two("(1, '1101', 'IRR', true, 1), (2, '4112', 'IRR', false, 1), (3, '1101', 'IRR', true, 1), (4, '4112', 'IRR', false, 1)"), "journal_entry_whole"),
        (copied("l.entry_id, 100 + l.line, l.account_id, l.commodity, l.is_debit, l.amount, l.date, l.number"), "journal_entry_whole"),
        (copied("l.entry_id, l.line, l.account_id, l.commodity, l.is_debit, l.amount, l.date, l.number"), "journal_line_pkey"),
        (copied("gen_random_uuid(), l.line, l.account_id, l.commodity, l.is_debit, l.amount, l.date, l.number"), "journal_entry_whole"),
        // They balance in each commodity, to the last digit.
        (two("(1, '1101', 'IRR', true, 1), (2, '4112', 'IRR', false, 1.01)"), "journal_entry_balanced"),
        (two("(1, '1101', 'IRR', true, 1), (2, '4112', 'USD', false, 1)"), "journal_entry_balanced"),
        (two("(1, '1101', 'IRR', true, 1), (2, '4112', 'IRR', true, 1)"), "journal_entry_balanced"),
        // Lines make sense.
        (two("(1, '1101', 'IRR', true, 0), (2, '4112', 'IRR', false, 0)"), "journal_line_positive"),
        (two("(1, '1101', 'IRR', true, -1), (2, '4112', 'IRR', false, -1)"), "journal_line_positive"),
        (two("(1, '1101', 'IRR', NULL, 1), (2, '4112', 'IRR', false, 1)"), "23502"),
        (two("(1, '1101', 'IRR', true, 0.001), (2, '4112', 'IRR', false, 0.001)"), "journal_line_fit"),
        (two("(1, '11', 'IRR', true, 1), (2, '4112', 'IRR', false, 1)"), "journal_line_fit"),
        (two("(1, '1102', 'IRR', true, 1), (2, '4112', 'IRR', false, 1)"), "journal_line_fit"),
        (two("(1, '1301', 'IRR', true, 1), (2, '4112', 'IRR', false, 1)"), "journal_line_fit"),
        (two("(1, '1101', 'ABC', true, 1), (2, '4112', 'ABC', false, 1)"), "journal_line_fit"),
        // Numbers have no gaps, and days are in their fiscal year and in an open period.
        (format!("{}{}", head("general", "2026-05-01", 2, 2, "NULL::uuid"), lines(GOOD)), "journal_entry_gapless"),
        (format!("{}{}", head("general", "2026-05-01", 2, 0, "NULL::uuid"), lines(GOOD)), "journal_entry_number_unique"),
        (format!("{}{}", head("general", "2025-06-01", 2, 1, "NULL::uuid"), lines(GOOD)), "journal_entry_fiscal_year"),
        (format!("{}{}", good().replace("1405", "1404").replace("2026-05-01", "2025-04-01"), lines(GOOD)), "journal_period_open"),
        (format!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; {}", two(GOOD)), "journal_isolation"),
        (format!("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; {}", two(GOOD)), "journal_isolation"),
        // A reversal is a mirror, not earlier, and only once.
        (mirror("8", "2026-05-01"), "journal_reversal_mirrors"),
        (mirror("7", "2026-04-30"), "journal_reversal_mirrors"),
        (mirror("7", "2026-05-01").replace("'reversal'", "'general'"), "journal_entry_reversal"),
        // Accounts, fiscal years and periods stay what they are.
        ("DELETE FROM account".to_owned(), "account_kept"),
        ("UPDATE account SET kind = 'expense' WHERE code = '1101'".to_owned(), "account_identity"),
        ("UPDATE account SET is_group = true WHERE code = '1101'".to_owned(), "account_identity"),
        ("UPDATE account SET commodity = 'USD' WHERE code = '1101'".to_owned(), "account_stays_as_posted"),
        ("UPDATE account SET archived_at = now() WHERE code = '11'".to_owned(), "account_below_archived"),
        ("UPDATE fiscal_year SET ends_on = ends_on + 1".to_owned(), "42501"),
        ("UPDATE period SET starts_on = starts_on - 1".to_owned(), "period_identity"),
        ("UPDATE period SET closed_at = now() WHERE starts_on = '2025-08-23'".to_owned(), "period_closed_in_order"),
        ("UPDATE period SET closed_at = NULL WHERE starts_on = '2025-03-21'; UPDATE period SET closed_at = now() WHERE starts_on = '2025-04-21'".to_owned(), "period_closed_in_order"),
        ("DELETE FROM period".to_owned(), "period_kept"),
        ("DELETE FROM stock_closing".to_owned(), "42501"),
        ("UPDATE stock_closing SET closed_until = '2000-01-01'".to_owned(), "42501"),
    ];
    for (sql, expected) in attacks {
        assert_eq!(tried(&db, &sql).await, expected, "{sql}");
    }
    // And what is right is done: it is not the password that is refused.
    assert_eq!(tried(&db, &two(GOOD)).await, "done");
    assert_eq!(
        tried(
            &db,
            &mirror("7", "2026-05-02").replace(ID, "01930000-0000-7000-8000-00000000e002")
        )
        .await,
        "done"
    );
    assert_eq!(
        tried(
            &db,
            &mirror("7", "2026-05-02").replace(ID, "01930000-0000-7000-8000-00000000e003")
        )
        .await,
        "journal_entry_reversed_once"
    );
    books.assert_verified().await;
}

/// One statement of many entries is refused for the one that is wrong, and so is COPY.
#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_entry_among_many_spoils_the_statement() {
    let books = Books::open().await;
    let db = database::pool(&books.app.database_url());
    let many = |credit: &str| {
        format!(
            "CREATE_IDS; INSERT INTO journal_entry (id, fiscal_year_id, number, date, kind, lines, recorded_at, actor_kind, actor_name) \
             SELECT ('01930000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, f.id, n, '2026-05-01', 'general', 2, now(), 'system', 'psql' \
             FROM fiscal_year f, generate_series(1, 500) n WHERE f.name = '1405'; \
             INSERT INTO journal_line (entry_id, line, account_id, commodity, is_debit, amount, date, number) \
             SELECT e.id, v.line, a.id, 'IRR', v.line = 1, CASE WHEN v.line = 2 AND e.number = 317 THEN {credit} ELSE 1 END, e.date, e.number \
             FROM journal_entry e, (VALUES (1, '1101'), (2, '4112')) v (line, code) JOIN account a ON a.code = v.code"
        )
        .replace("CREATE_IDS; ", "")
    };
    assert_eq!(tried(&db, &many("1.01")).await, "journal_entry_balanced");
    assert_eq!(books.count("SELECT count(*) FROM journal_entry").await, 0);
    assert_eq!(tried(&db, &many("1")).await, "done");
    let mut connection = db.acquire().await.unwrap();
    connection.execute("BEGIN").await.unwrap();
    let head = head("general", "2026-05-01", 2, 1, "NULL::uuid");
    connection.execute(AssertSqlSafe(head)).await.unwrap();
    let copy = "COPY journal_line (entry_id, line, account_id, commodity, is_debit, amount, date, number) FROM STDIN (FORMAT csv)";
    let account: String = sqlx::query_scalar("SELECT id::text FROM account WHERE code = '1101'")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let mut writer = connection.copy_in_raw(copy).await.unwrap();
    let rows = format!(
        "{ID},1,{account},IRR,true,1,2026-05-01,501\n{ID},2,{account},IRR,false,2,2026-05-01,501\n"
    );
    writer.send(rows.as_bytes()).await.unwrap();
    let refused = writer.finish().await.unwrap_err();
    assert_eq!(
        refused.as_database_error().unwrap().constraint(),
        Some("journal_entry_balanced")
    );
    connection.execute("ROLLBACK").await.unwrap();
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_cannot_change_what_was_posted_and_what_is_bent_is_found() {
    let books = Books::open().await;
    books.post(books.sale("2026-05-01", "7")).await;
    for table in ["journal_entry", "journal_line"] {
        for sql in [
            format!("UPDATE {table} SET date = date + 1"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table} CASCADE"),
        ] {
            let told = tried(books.app.sql(), &sql).await;
            assert_eq!(told, format!("{table}_append_only"), "{sql}");
        }
    }
    assert_eq!(
        tried(
            books.app.sql(),
            &two("(1, '1101', 'IRR', true, 1), (2, '4112', 'IRR', false, 2)")
        )
        .await,
        "journal_entry_balanced"
    );
    books.assert_verified().await;
    // Who may switch triggers off can do anything, and is found out.
    for (bend, kinds) in [
        (
            "UPDATE journal_line SET amount = amount + 1 WHERE line = 1",
            &["balance", "turnover", "turnover"][..],
        ),
        (
            "UPDATE journal_line SET amount = amount - 1 WHERE line = 1; DELETE FROM journal_line WHERE line = 2",
            &["balance", "lines", "turnover", "turnover"],
        ),
    ] {
        let sql = format!(
            "ALTER TABLE journal_line DISABLE TRIGGER USER; {bend}; ALTER TABLE journal_line ENABLE TRIGGER USER"
        );
        assert_eq!(tried(books.app.sql(), &sql).await, "done");
        let query = "{ ledgerVerify { kind subject } }";
        let differences = books.manager.ok(query, json!({})).await["ledgerVerify"].take();
        let differences = differences.as_array().unwrap().iter();
        assert_eq!(
            differences
                .map(|row| text(&row["kind"]))
                .collect::<Vec<_>>(),
            kinds
        );
    }
}
