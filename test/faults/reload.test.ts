/** Rules as input on the real thing: reloads in the middle of kills and a lost store, by signal and by change of files. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { loadRules } from "../../src/cli/load-rules.ts";
import { createEngine } from "../../src/screen/engine.ts";
import type { ScreenEngine } from "../../src/stream/screen-ports.ts";
import { indicator, RATES, typology } from "../screen/build.ts";
import { type RedisService, startRedis } from "../services/index.ts";
import { randomFrom } from "../stream/faulty-store.ts";
import { digestStored, entriesOf, type Folded, foldLog, note } from "../stream/pack-rig.ts";
import { faultTest } from "./fault-test.ts";
import { type PalermoProcess, startPalermo } from "./palermo-process.ts";
import { createRunRig, type RunRig } from "./run-rig.ts";
import { movements } from "./sample.ts";

const seed = Number(process.env.PALERMO_TEST_SEED ?? Date.now() % 1_000_000);

let redis: RedisService;
beforeAll(async () => {
  redis = await startRedis({ appendOnly: true });
});
afterAll(async () => redis.close());

interface Rules {
  readonly dir: string;
  /** Writes the rule with another threshold and window; gives the engine of the pack that the folder then holds. */
  write(min: number, last: string, more?: string): ScreenEngine;
  close(): void;
}

function createRules(): Rules {
  const dir = mkdtempSync(join(tmpdir(), "palermo-reload-"));
  mkdirSync(join(dir, "lists"));
  writeFileSync(join(dir, "lists", "rates.yaml"), RATES);
  const alert = `
subject: party
hits: { came: { of: T-IN, from: accounts, last: 3h, count: episodes } }
scoring: { indicators: [ { came: { family: receipts, points: 30, when: hits.came >= 1 } } ] }
alert_when: { all: [ { enough: score.total >= 30 } ] }
alone: { because: test }
severity: { medium: 30 }
suppress: { for: 6h }
`;
  writeFileSync(join(dir, "T-AL.yaml"), typology("T-AL", alert));
  return {
    dir,
    write(min, last, more = "") {
      const body = `
subject: account
scope: { rail: [transfer], direction: [in] }
aggregates:
  n: { count: events, last: ${last} }
  senders: { distinct: other.id, last: ${last}, cap: 64 }
when: { all: [ { many: agg.n >= ${min} }, { spread: agg.senders >= ${Math.max(1, min - 6)} } ] }
${more}`;
      const text = indicator("T-IN", body);
      writeFileSync(join(dir, "T-IN.yaml"), more === "" ? text : text.replace("\ntests: []\n", "\n"));
      return createEngine(loadRules({ rules: dir, tenant: "default" }).pack, { tailKeep: 1 });
    },
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}

async function withRig(
  env: Readonly<Record<string, string>>,
  work: (rig: RunRig, rules: Rules) => Promise<void>,
): Promise<void> {
  const rules = createRules();
  rules.write(20, "30m");
  const rig = await createRunRig({ brokers: inject("kafkaBrokers"), redisUrl: redis.url, rules: rules.dir, env });
  try {
    await work(rig, rules);
  } finally {
    await rig.close();
    rules.close();
  }
}

async function inForceEverywhere(rig: RunRig, hash: string): Promise<void> {
  while (!(await rig.packs()).every((pack) => pack === hash)) await sleep(50);
}

async function foundIn(rig: RunRig, engines: readonly ScreenEngine[]): Promise<Folded> {
  const alerts = new Map<string, string>();
  for (const records of await rig.log(rig.topics.alerts)) {
    for (const { value, headers } of records) note(alerts, headers.sequence ?? "", String(value));
  }
  const values = [...(await rig.values())].map(([key, stored]): [string, string] => [
    key,
    digestStored(key, stored, engines),
  ]);
  return { alerts, entities: new Map(values) };
}

async function metricOf(palermo: PalermoProcess, path: string): Promise<string> {
  const address = /"address":"(http:[^"]*)"/.exec(palermo.log())?.[1] ?? "";
  return (await fetch(`${address}${path}`)).text();
}

/** `palermo packs`: its exit code and what it printed. */
async function packs(rig: RunRig, ...args: readonly string[]): Promise<[number | null, unknown]> {
  const verb = startPalermo(["packs", ...args], rig.env);
  const code = await verb.ended();
  return [code, JSON.parse(verb.log())];
}

describe(`rules that change while it runs (seed ${seed})`, () => {
  const row = {
    row: "17",
    fault: "rules reloaded in the middle of kills",
    how: "the rules' files change 5 times while the screening worker is killed 8 times and Redis is flushed once",
    mustHold: "each view is judged by the pack in force at its place in the log; all partitions end with the last pack",
    timeoutMs: 400_000,
  };
  faultTest(row, (measure) =>
    withRig({}, async (rig, rules) => {
      const random = randomFrom(seed);
      const total = 24_000;
      const lines = movements(total, seed);
      const packs = [rules.write(3, "30m")];
      const edits: readonly (readonly [number, string])[] = [
        [6, "30m"],
        [9, "45m"],
        [8, "30m"],
        [10, "30m"],
      ];
      const intake = await rig.start("intake");
      let screen = await rig.start("screen");
      const rounds = 8;
      for (let round = 0; round < rounds; round++) {
        await rig.feed(lines.slice((round * total) / rounds, ((round + 1) * total) / rounds));
        const edit = round % 2 === 0 ? edits[round / 2] : undefined;
        if (edit !== undefined) packs.push(rules.write(...edit));
        await sleep(random(2_500));
        if (round === 5) await rig.redis.flushall();
        await screen.kill();
        screen = await rig.start("screen");
      }
      await inForceEverywhere(rig, packs.at(-1)?.pack.hash ?? "");
      measure("settled after the last kill ms", await rig.settled(total));
      const found = await foundIn(rig, packs);
      expect(entriesOf(found)).toEqual(entriesOf(foldLog(await rig.log(rig.topics.views), packs)));
      const hashes = [...found.alerts.values()].map((alert) => alert.split(" ")[1]);
      measure("packs named by alerts", new Set(hashes).size);
      expect(new Set(hashes).size).toBeGreaterThan(2);
      expect(await screen.stop()).toBe(0);
      expect(await intake.stop()).toBe(0);
    }),
  );

  test("a signal reloads; a bad pack leaves the one in force and says where it is bad", {
    timeout: 200_000,
  }, async () => {
    await withRig({ PALERMO_PACKS_WATCH: "false" }, async (rig, rules) => {
      const first = rules.write(20, "30m");
      const palermo = await rig.start("both");
      const lines = movements(4_000, seed);
      await rig.feed(lines.slice(0, 2_000));
      await inForceEverywhere(rig, first.pack.hash);
      writeFileSync(join(rules.dir, "T-BAD.yaml"), "schema: rule/v1\nid: T-BAD\n");
      palermo.signal("SIGHUP");
      await palermo.logged("T-BAD.yaml:1:1: ");
      expect(palermo.log()).toContain('"reload":"refused"');
      rmSync(join(rules.dir, "T-BAD.yaml"));
      rules.write(21, "30m", "tests: [ { name: expects nothing, kind: fires, events: [], expect: {} } ]\n");
      palermo.signal("SIGHUP");
      await palermo.logged('"reload":"tests_failed"');
      expect(await rig.packs()).toEqual(Array(8).fill(first.pack.hash));
      const next = rules.write(22, "30m");
      await rig.feed(lines.slice(2_000));
      palermo.signal("SIGHUP");
      await palermo.logged('"reload":"activated"');
      await inForceEverywhere(rig, next.pack.hash);
      palermo.signal("SIGHUP");
      await palermo.logged('"reload":"unchanged"');
      const metrics = await metricOf(palermo, "/metrics");
      for (const result of ["refused", "tests_failed", "activated", "unchanged"]) {
        expect(metrics).toContain(`palermo_pack_reloads_total{result="${result}"} 1`);
      }
      expect(metrics).toContain(`palermo_pack_info{hash="${next.pack.hash}"} 1`);
      expect(await metricOf(palermo, "/readyz")).toContain(`${next.pack.hash} in force since`);
      await rig.settled(lines.length);
      const back = first.pack.hash;
      expect(await packs(rig, "--json")).toMatchObject([
        0,
        {
          packs: [
            { hash: next.pack.hash, latest: true, inForce: { length: 8 } },
            { hash: back, inForce: [] },
          ],
        },
      ]);
      expect(await packs(rig, "--activate", back.slice(0, 10), "--json")).toEqual([0, { activated: back }]);
      await inForceEverywhere(rig, back);
      expect(entriesOf(await foundIn(rig, [first, next]))).toEqual(
        entriesOf(foldLog(await rig.log(rig.topics.views), [first, next])),
      );
      expect(await palermo.stop()).toBe(0);
    });
  });
});
