/** Intake processes that are killed at random instants, or that share the work: nothing lost, repeats recognisable. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, inject, test } from "vitest";
import { sleep } from "../../src/stream/backoff.ts";
import {
  createTopics,
  firstSeen,
  inputTopics,
  lagOf,
  readViews,
  testBus,
  transfer,
  uniqueName,
  until,
  write,
} from "./support.ts";

const brokers = inject("kafkaBrokers");
const bus = testBus(brokers);
const CHILD = fileURLToPath(new URL("./intake-child.ts", import.meta.url));

function start(prefix: string, redisUrl = ""): ChildProcess {
  const args = [brokers.join(","), prefix, redisUrl];
  return fork(CHILD, args, { execArgv: ["--import", "tsx"], stdio: ["ignore", "ignore", "inherit", "ipc"] });
}

/** A generator of numbers below `bound`, the same in every run. */
function seeded(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % bound;
  };
}

async function prepare(inputs: number, count: number) {
  const prefix = uniqueName("kill");
  const admin = await bus.admin();
  await createTopics(admin, prefix, inputs);
  const topics = inputTopics(prefix);
  for (let p = 0; p < inputs; p++) {
    const messages = Array.from({ length: count / inputs }, (_, i) => transfer(i * inputs + p));
    await write(bus, topics.transactions, p, messages);
  }
  return { prefix, admin, topics };
}

/** Checks that the first occurrence of every view stands in the log, in the order of its source. */
async function expectAll(views: string, count: number): Promise<{ repeated: number }> {
  let repeats = 0;
  const found: string[] = [];
  for (const list of await readViews(bus, views)) {
    const { taken, repeated } = firstSeen(list);
    repeats += repeated;
    for (const { view } of taken) found.push(`${view.entity} ${view.txId}`);
  }
  const expected = Array.from({ length: count }, (_, n) => [`account:A${n % 97} t${n}`, `account:B${n % 89} t${n}`]);
  expect(found.sort()).toEqual(expected.flat().sort());
  return { repeated: repeats };
}

test("kill -9 at random instants loses nothing, and what is repeated has origins that were seen", async () => {
  const count = 40_000;
  const { prefix, admin, topics } = await prepare(2, count);
  const random = seeded(20_261_124);
  const drained = async (): Promise<boolean> => (await lagOf(admin, `${prefix}-intake`, topics.transactions)) === 0;
  let kills = 0;
  while (!(await drained()) && kills < 4) {
    const child = start(prefix);
    await once(child, "message");
    await sleep(60 + random(400));
    child.kill("SIGKILL");
    await once(child, "exit");
    kills++;
  }
  const last = start(prefix);
  await until(drained, "the inputs to be drained", 60_000);
  last.kill("SIGTERM");
  const [code] = await once(last, "exit");
  expect(code).toBe(0);
  expect(kills).toBeGreaterThanOrEqual(2);
  await expectAll(topics.views, count);
  await admin.close();
}, 180_000);

test("two workers share the partitions, one leaves in the middle, and event time stays together", async () => {
  const count = 6_000;
  const { prefix, admin, topics } = await prepare(4, count);
  const workers = [start(prefix, inject("redisUrl")), start(prefix, inject("redisUrl"))];
  await Promise.all(workers.map((worker) => once(worker, "message")));
  await sleep(1_500);
  workers[0]?.kill("SIGTERM");
  const drained = async (): Promise<boolean> => (await lagOf(admin, `${prefix}-intake`, topics.transactions)) === 0;
  await until(drained, "the inputs to be drained", 60_000);
  workers[1]?.kill("SIGTERM");
  await Promise.all(workers.map((worker) => worker.exitCode ?? once(worker, "exit")));
  await expectAll(topics.views, count);
  let worst = 0;
  for (const list of await readViews(bus, topics.views)) {
    let newest = 0;
    for (const { view } of firstSeen(list).taken) {
      worst = Math.max(worst, newest - view.time);
      newest = Math.max(newest, view.time);
    }
  }
  // 5 s are allowed; a rebalance adds what a worker had sent and not yet told. L is an hour.
  expect(worst).toBeLessThan(30 * 60_000);
  await admin.close();
}, 120_000);
