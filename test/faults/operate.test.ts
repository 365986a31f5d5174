/** `palermo verify` and `palermo rebuild` on a real run: agreement, planted damage found and named, and made good. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { main } from "../../src/cli/main.ts";
import { grouped } from "../../src/cli/output.ts";
import type { RebuildSummary } from "../../src/cli/rebuild.ts";
import type { Findings } from "../../src/cli/verify.ts";
import { createEngine } from "../../src/screen/engine.ts";
import { storedValue, toStored } from "../../src/store/redis.ts";
import { fakeTerminal } from "../cli/fake-terminal.ts";
import { faultTest, LONG, SEED } from "./fault-test.ts";
import { expectAsReference, referenceOf } from "./oracle.ts";
import { createRunRig, type RunRig } from "./run-rig.ts";
import { movements, poison } from "./sample.ts";

const TOTAL = LONG ? 20_000 : 8_000;
const lines = movements(TOTAL, SEED).flatMap((line, i) => (i % 500 === 7 ? [line, poison(i, line).bytes] : [line]));

let rig: RunRig;
beforeAll(async () => {
  rig = await createRunRig({ brokers: inject("kafkaBrokers"), redisUrl: inject("redisUrl") });
  const palermo = await rig.start("both");
  await rig.feed(lines);
  await rig.settled(lines.length);
  await palermo.stop();
}, 120_000);
afterAll(async () => rig.close());

async function palermo(args: readonly string[], env = {}): Promise<{ code: number; stdout: string; stderr: string }> {
  const terminal = { ...fakeTerminal({ env: { ...rig.env, ...env } }), now: () => Date.now() };
  const code = await main(args, terminal);
  return { code, stdout: terminal.out(), stderr: terminal.err() };
}

async function verify(): Promise<Findings & { readonly code: number }> {
  const { code, stdout, stderr } = await palermo(["verify", "--json"]);
  expect(stderr).toBe("");
  return { code, ...(JSON.parse(stdout) as Findings) };
}

const keyIn = async (pattern: string): Promise<string> => {
  const [key] = (await rig.redis.keys(pattern.replace(/[{}]/g, "?"))).sort();
  if (key === undefined) throw new Error(`no key like ${pattern}`);
  return key;
};

const nameOf = (key: string): string => key.slice(key.indexOf(":e:") + 3);

/** The stored value of an entity that lost one of its views. */
function miscounted(key: string, value: Buffer): Buffer {
  const engine = createEngine(rig.pack, { tailKeep: 1 });
  const stored = toStored(value, key);
  const entity = engine.decode(nameOf(key), stored.value, stored.additions);
  // So short that it is folded when it is read: of a longer one the fold is stored, and would still be right.
  entity.tail = entity.tail.from(Math.max(1, entity.tail.length - 8));
  return storedValue(stored.writtenAt, engine.encode(entity));
}

describe("verify", () => {
  test("agrees with an undisturbed run, and says what it compared", { timeout: 60_000 }, async () => {
    const { code, stdout } = await palermo(["verify"]);
    const rejected = lines.length - TOTAL;
    expect(stdout).toContain(`${grouped(TOTAL)} transactions, 0 profiles, 0 events, ${rejected} rejected`);
    expect(stdout).toContain("Nothing is lost, nothing is twice.");
    expect(code).toBe(0);
  });

  test("names what was lost, what is too much and what differs", { timeout: 60_000 }, async () => {
    const gone = await keyIn(`${rig.id}:default:{p0}:e:account:*`);
    const kept = await rig.redis.getBuffer(gone);
    const changed = await keyIn(`${rig.id}:default:{p1}:e:account:*`);
    const before = await rig.redis.getBuffer(changed);
    const other = await rig.redis.getBuffer(await keyIn(`${rig.id}:default:{p2}:e:account:*`));
    await rig.redis.del(gone);
    await rig.redis.set(changed, miscounted(changed, before as Buffer));
    await rig.redis.set(`${rig.id}:default:{p3}:e:account:nobody`, other as Buffer);
    const findings = await verify();
    expect(findings.code).toBe(3);
    expect(findings.differences.map(({ what, name, problem }) => ({ what, name, problem }))).toEqual(
      expect.arrayContaining([
        { what: "entity", name: nameOf(gone), problem: "missing" },
        { what: "entity", name: nameOf(changed), problem: "differs" },
        // What stands there is another entity's.
        { what: "entity", name: "account:nobody", problem: "differs" },
      ]),
    );
    expect(findings.differences).toHaveLength(3);
    const page = (await palermo(["verify", "--limit", "1"])).stdout;
    expect(page).toContain("3 differences");
    expect(page).toContain("and 2 more (--limit lists them)");
    await rig.redis.set(gone, kept as Buffer);
    await rig.redis.set(changed, before as Buffer);
    await rig.redis.del(`${rig.id}:default:{p3}:e:account:nobody`);
    expect((await verify()).differences).toEqual([]);
  });

  test("says what is missing when there is nothing to compare", { timeout: 60_000 }, async () => {
    const none = await palermo(["verify"], { PALERMO_TOPIC_PREFIX: "nowhere." });
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("no such topic: nowhere.parties")]);
    const behind = await palermo(["verify", "--wait", "0"], { PALERMO_SCREEN_GROUP: "somebody-else" });
    expect([behind.code, behind.stderr]).toEqual([2, expect.stringMatching(/records behind \(group somebody-else\)/)]);
    const shipped = fileURLToPath(new URL("../../rules/", import.meta.url));
    const other = await palermo(["verify"], { PALERMO_RULES: shipped });
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("verify with the rules")]);
    const usage = await palermo(["verify", "--limit", "none"]);
    expect(usage.code).toBe(2);
  });
});

describe("rebuild", () => {
  test("refuses what would harm", { timeout: 60_000 }, async () => {
    const unasked = await palermo(["rebuild"]);
    expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining("say --yes")]);
    const unknown = await palermo(["rebuild", "--yes", "--partition", "3,8"]);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("has the partitions 0 to 7, and no 8")]);
    const words = await palermo(["rebuild", "--yes", "--partition", "first"]);
    expect([words.code, words.stderr]).toEqual([2, expect.stringContaining("Expected partition numbers")]);
    const nothing = await palermo(["rebuild", "--yes"], { PALERMO_TOPIC_PREFIX: "nowhere." });
    expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining("there is no topic nowhere.views")]);
    const worker = await rig.start("screen");
    const running = await palermo(["rebuild", "--yes"]);
    await worker.stop();
    expect([running.code, running.stderr]).toEqual([2, expect.stringContaining("1 worker screens in group")]);
    expect((await verify()).code).toBe(0);
  });

  test("asks on a terminal, and takes anything but yes as no", { timeout: 60_000 }, async () => {
    const terminal = fakeTerminal({ env: rig.env, stdin: "n\n", tty: true });
    Object.assign(terminal.stdin, { isTTY: true });
    expect(await main(["rebuild"], terminal)).toBe(0);
    expect(terminal.err()).toContain("This deletes the state of 8 partitions");
    expect(terminal.err()).toContain("Nothing was changed.");
    expect((await verify()).code).toBe(0);
  });

  faultTest(
    {
      row: "Rebuild",
      fault: "state deleted on purpose or lost",
      how: "`palermo rebuild` of two damaged partitions, then of all; then FLUSHALL of a stopped run and an automatic rebuild",
      mustHold: "oracle; no alert is published again",
      timeoutMs: 180_000,
    },
    async (measure) => {
      const reference = referenceOf(rig, lines);
      const records = (await rig.alerts()).records;
      await rig.redis.del(await keyIn(`${rig.id}:default:{p0}:e:account:*`));
      const some = await palermo(["rebuild", "--yes", "--partition", "0,1", "--json"]);
      expect(some.code).toBe(0);
      expect(JSON.parse(some.stdout)).toMatchObject({ partitions: [0, 1], alerts: 0 });
      expect((await verify()).code).toBe(0);
      const all = await palermo(["rebuild", "--yes", "--json"]);
      const summary = JSON.parse(all.stdout) as RebuildSummary;
      expect(summary).toMatchObject({ transactions: TOTAL, alerts: 0 });
      measure("palermo rebuild tx/s", summary.transactionsPerSecond);
      await expectAsReference(rig, reference);
      for (const key of await rig.redis.keys(`${rig.id}:*`)) await rig.redis.del(key);
      const since = Date.now();
      const worker = await rig.start("screen");
      while ((await rig.position()) < (await rig.viewsEnd())) await new Promise((resolve) => setTimeout(resolve, 20));
      await rig.settled(lines.length);
      const took = [...worker.log().matchAll(/"tookMs":(\d+),"msg":"state rebuilt"/g)].map((match) => Number(match[1]));
      expect(took.length).toBe(rig.views);
      measure("automatic rebuild tx/s", Math.round(TOTAL / (Math.max(...took) / 1_000)));
      measure("automatic rebuild with start of the process ms", Date.now() - since);
      expect((await expectAsReference(rig, reference)).records).toBe(records);
      await worker.stop();
    },
  );
});
