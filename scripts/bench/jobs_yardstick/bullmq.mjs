// BullMQ with the promises that goldshop's jobs have: a job's row is committed to PostgreSQL, in a transaction of its own, before the job is in the
// queue; and the handler commits that it is done before the queue hears of it. What it lacks: who dies between the commit and the queue loses the
// job, and nothing is written when a job begins.
//
//   bullmq.mjs PACKAGES work CONCURRENCY        does jobs until SIGTERM
//   bullmq.mjs PACKAGES enqueue COUNT CLIENTS   asks for jobs, as many at the same time as there are clients
//   bullmq.mjs PACKAGES idle COUNT              asks for one after the other, with a random pause of 50 to 250 ms before each
//
// PACKAGES is the folder in which bullmq, ioredis and pg are installed; YARDSTICK_DATABASE_URL and REDIS_URL say where the servers are.

import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const [packages, role, ...numbers] = process.argv.slice(2);
const load = createRequire(`${packages}/`);
const { Queue, Worker } = load('bullmq');
const { Pool } = load('pg');

const NAME = 'yardstick';
const CONNECTIONS = 32;
const connection = { url: process.env.REDIS_URL, maxRetriesPerRequest: null };
const pool = new Pool({ connectionString: process.env.YARDSTICK_DATABASE_URL, max: CONNECTIONS });

// Seconds since 1970, as exact as node has them.
const now = () => (performance.timeOrigin + performance.now()) / 1000;

async function work(concurrency) {
  const end = `UPDATE yardstick.job SET state = 'succeeded', attempts = attempts + 1, started_at = to_timestamp($2), finished_at = clock_timestamp()
               WHERE id = $1 AND state <> 'succeeded'`;
  const handle = async (job) => {
    await pool.query({ name: 'end', text: end, values: [job.id, now()] });
  };
  const worker = new Worker(NAME, handle, { connection, concurrency });
  await worker.waitUntilReady();
  console.log('at work');
  process.once('SIGTERM', async () => {
    await worker.close();
    await pool.end();
    process.exit(0);
  });
}

async function ask(queue) {
  const insert = `INSERT INTO yardstick.job (id, kind, payload, state, created_at) VALUES ($1, 'nothing', '{}', 'queued', to_timestamp($2))`;
  const id = randomUUID();
  await pool.query({ name: 'insert', text: insert, values: [id, now()] });
  await queue.add('nothing', {}, { jobId: id, attempts: 14, backoff: { type: 'exponential', delay: 1000 }, removeOnComplete: true });
}

async function asking(by) {
  const queue = new Queue(NAME, { connection });
  await queue.waitUntilReady();
  await by(queue);
  await queue.close();
  await pool.end();
}

async function enqueue(count, clients) {
  let left = count;
  const client = async (queue) => {
    while (left-- > 0) await ask(queue);
  };
  await asking((queue) => Promise.all(Array.from({ length: clients }, () => client(queue))));
}

async function idle(count) {
  await asking(async (queue) => {
    for (let number = 0; number < count; number += 1) {
      await sleep(50 + Math.random() * 200);
      await ask(queue);
    }
  });
}

await { work, enqueue, idle }[role](...numbers.map(Number));
