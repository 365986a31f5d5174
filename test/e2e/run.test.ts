/** `palermo run` as an operator meets it: endpoints, rejected records, what is logged, how it stops, what it says when nobody answers. */
import { type Consumer, Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { palermo as run } from "../cli/replay-kit.ts";
import { type PalermoProcess, startPalermo } from "../faults/palermo-process.ts";
import { storyLines } from "../stories.ts";

const id = `run-${process.pid}`;
const topic = { transactions: `${id}-transactions`, rejected: `${id}.rejected` };
const environment = (): Record<string, string> => ({
  PALERMO_KAFKA_BROKERS: inject("kafkaBrokers").join(","),
  PALERMO_REDIS_URL: inject("redisUrl"),
  PALERMO_REDIS_PREFIX: id,
  PALERMO_TOPIC_PREFIX: `${id}.`,
  PALERMO_TOPIC_TRANSACTIONS: topic.transactions,
  PALERMO_TOPIC_TRANSACTIONS_PARTITIONS: "1",
  PALERMO_VIEWS_PARTITIONS: "2",
  PALERMO_INTAKE_GROUP: `${id}-intake`,
  PALERMO_SCREEN_GROUP: `${id}-screen`,
  PALERMO_HTTP_HOST: "127.0.0.1",
  PALERMO_HTTP_PORT: "0",
  PALERMO_LOG_LEVEL: "debug",
});

const good = storyLines("funnel-ring", "transactions.ndjson");
const [first = ""] = good;
const last = good.at(-1) ?? "";
const SECRET = "k1.SECRETACCOUNT";
/** Lines that are no movements, with the codes that they are refused for. */
const POISON: readonly (readonly [string | Buffer, string])[] = [
  ["{", "MALFORMED_JSON"],
  [Buffer.from([0x7b, 0xff, 0x7d]), "BAD_UTF8"],
  [first.replace('"amount":"', '"amount":"-'), "BAD_AMOUNT"],
  [first.replace(/"currency":"[A-Z]+"/, '"currency":"QQQ"'), "UNKNOWN_CURRENCY"],
  [JSON.stringify({ schema: "tx/1", txId: 7, debtor: { kind: "account", account: SECRET } }), "SCHEMA"],
];

let kafka: Kafka;
let palermo: PalermoProcess;
let base: string;

beforeAll(async () => {
  kafka = new Kafka({ clientId: id, brokers: inject("kafkaBrokers"), logLevel: logLevel.NOTHING });
  palermo = startPalermo(["run"], environment());
  await palermo.logged('"msg":"running"');
  base = /"address":"(http:[^"]+)"/.exec(palermo.log())?.[1] ?? "";
});
afterAll(async () => {
  if (palermo.running) await palermo.kill();
});

async function send(values: readonly (string | Buffer)[]): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: topic.transactions, messages: values.map((value) => ({ value })) });
  await producer.disconnect();
}

/** The first `count` records of a topic, as text. */
async function read(name: string, count: number): Promise<string[]> {
  const consumer: Consumer = kafka.consumer({ groupId: `${name}-${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topic: name, fromBeginning: true });
  const found: string[] = [];
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          found.push(String(message.value));
          if (found.length === count) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return found;
}

describe("a running service", () => {
  test("answers at /livez and /readyz, and at nothing that it has not", async () => {
    const status = async (path: string, method = "GET"): Promise<number> =>
      (await fetch(base + path, { method })).status;
    expect(await status("/livez")).toBe(200);
    expect([await status("/"), await status("/livez", "POST")]).toEqual([404, 405]);
    const ready = await fetch(`${base}/readyz`);
    const body = (await ready.json()) as { ready: boolean; checks: { name: string; ok: boolean }[] };
    expect([ready.status, body.ready]).toEqual([200, true]);
    expect(body.checks.map((check) => check.name)).toEqual(
      expect.arrayContaining(["phase", "intake.joined", "intake.progress", "screen.joined", "screen.progress"]),
    );
  });

  test("tells poison on the rejected topic without its bytes, and screens the rest", async () => {
    await send([...POISON.map(([value]) => value), ...good]);
    const rejected = (await read(topic.rejected, POISON.length)).map(
      (text) => JSON.parse(text) as Record<string, unknown>,
    );
    expect(rejected.map(({ code }) => code)).toEqual(POISON.map(([, code]) => code));
    expect(rejected.map(({ offset }) => offset)).toEqual(POISON.map((_, offset) => offset));
    for (const record of rejected) expect(record).not.toHaveProperty("bytes");
    const alerts = await read(`${id}.alerts.protected`, 1);
    expect(alerts[0]).toContain('"schema":"alert/1"');
    const stubs = await read(`${id}.alerts`, 1);
    expect(JSON.parse(stubs[0] ?? "{}")).toMatchObject({
      schema: "alert-stub/1",
      alertId: JSON.parse(alerts[0] ?? "{}").alertId,
    });
  });

  test("tells other content under a known id there too, by the place of the record that brought it", async () => {
    const [from = "", to = ""] = [/"amount":"[^"]+"/.exec(last)?.[0], '"amount":"1.01"'];
    await send([last.replace(from, to)]);
    const records = await read(topic.rejected, POISON.length + 1);
    expect(JSON.parse(records.at(-1) ?? "{}")).toMatchObject({
      stage: "screen",
      code: "CONFLICT",
      topic: topic.transactions,
      offset: POISON.length + good.length,
    });
  });

  test("counts in /metrics what it did", async () => {
    const text = await (await fetch(`${base}/metrics`)).text();
    expect(text).toContain('palermo_rejected_total{stage="intake",reason="BAD_AMOUNT"} 1');
    expect(Number(/^palermo_screen_views_total\{verdict="judged"\} (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(
      good.length,
    );
    expect(text).toMatch(/^palermo_alerts_total\{typology="HT-SX",severity="\w+",event="opened",status="active"\} 1$/m);
    expect(Number(/^palermo_published_total\{lane="alerts"\} (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
  });

  test("logs lines of JSON without tokens, and stops in good order", async () => {
    expect(await palermo.stop()).toBe(0);
    const lines = palermo.log().trimEnd().split("\n");
    for (const line of lines) expect(() => JSON.parse(line), line).not.toThrow();
    expect(lines.at(-1)).toContain('"msg":"stopped"');
    const tokens = new Set(good.join("\n").match(/k1\.[A-Z0-9]+/g));
    expect(tokens.size).toBeGreaterThan(3);
    for (const token of [...tokens, SECRET]) expect(palermo.log()).not.toContain(token);
  });
});

describe("a service that cannot start", () => {
  test.each([
    ["the broker", { PALERMO_KAFKA_BROKERS: "127.0.0.1:1" }, "connecting at 127.0.0.1:1: nobody listens there"],
    ["Redis", { PALERMO_REDIS_URL: "redis://user:secret@127.0.0.1:1" }, "Redis at 127.0.0.1:1"],
  ])("names the address of %s, tries again, and shows no stack and no password", async (_what, env, message) => {
    const alone = startPalermo(["run"], { ...environment(), ...env });
    await alone.logged(message);
    await alone.logged("trying again");
    expect(await alone.stop(), alone.log()).toBe(0);
    expect(alone.log()).not.toMatch(/^\s+at /m);
    expect(alone.log()).not.toContain("secret");
  });

  test("says which key of the configuration is wrong, and where", async () => {
    const { code, err } = await run(["run", "--config", "package.json"]);
    expect(code).toBe(2);
    expect(err).toMatch(/package\.json.*\bname\b/s);
  });
});
