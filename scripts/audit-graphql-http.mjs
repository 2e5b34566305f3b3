// Runs the audits of the GraphQL-over-HTTP specification (npm package graphql-http) against a running server and
// fails unless every one passes. Called by audit-graphql-http.sh, which provides the package.
import { createRequire } from "node:module";

const [url, directory] = process.argv.slice(2);
const { auditServer } = createRequire(`${directory}/`)("graphql-http");

const results = await auditServer({ url });
for (const { id, name, status, reason } of results.filter(({ status }) => status !== "ok")) {
  console.log(`${status} ${id} ${name}: ${reason}`);
}
const passed = results.filter(({ status }) => status === "ok").length;
console.log(`${passed} of ${results.length} audits passed`);
process.exit(passed === results.length ? 0 : 1);
