/** Configuration: sources and their order, errors with names and places, secrets, the generated reference. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { configKeys, configReference, loadConfig, maskUrl, printConfig } from "../../src/stream/config.ts";

function findingsOf(sources: Parameters<typeof loadConfig>[0]): string[] {
  try {
    loadConfig(sources);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).diagnostics.map((d) => `${d.file}:${d.line}:${d.column} ${d.message}`);
  }
  return [];
}

const yaml = (text: string) => ({ file: { name: "palermo.yaml", text } });

test("without sources the defaults hold", () => {
  const config = loadConfig({});
  expect(config.kafka.brokers).toEqual(["localhost:9092"]);
  expect(config.views.partitions).toBe(16);
  expect(config.commit.ms).toBe(50);
  expect(config.role).toBe("both");
});

test("flags win over the environment, which wins over the file, which wins over defaults", () => {
  const config = loadConfig({
    ...yaml("kafka:\n  brokers: [file:1]\n  clientId: file\nviews: { partitions: 3 }\ntenant: file\n"),
    env: { PALERMO_KAFKA_BROKERS: "env:1, env:2", PALERMO_TENANT: "env", PALERMO_HTTP_PORT: "0" },
    flags: { tenant: "flag" },
  });
  expect(config.kafka.brokers).toEqual(["env:1", "env:2"]);
  expect(config.kafka.clientId).toBe("file");
  expect(config.views.partitions).toBe(3);
  expect(config.tenant).toBe("flag");
  expect(config.http.port).toBe(0);
});

test("an unknown name is an error with the nearest one, wherever it stands", () => {
  const findings = findingsOf({
    ...yaml("kafka:\n  brokrs: [a:1]\nrolle: intake\n"),
    env: { PALERMO_KAFKA_BROKER: "a:1", PALERMO_TEST_KAFKA: "x", PALERMO_SERVICE_HOST: "x", PATH: "x" },
    flags: { "views.partition": "3" },
  });
  expect(findings).toHaveLength(4);
  expect(findings[0]).toMatch(/^palermo\.yaml:2:3 unknown key kafka\.brokrs.*kafka\.brokers/);
  expect(findings[1]).toMatch(/^palermo\.yaml:3:1 unknown key rolle.*role/);
  expect(findings[2]).toMatch(/unknown variable PALERMO_KAFKA_BROKER.*PALERMO_KAFKA_BROKERS/);
  expect(findings[3]).toMatch(/unknown key views\.partition.*views\.partitions/);
});

test("bad values name the key, its place and what was expected, all at once", () => {
  const findings = findingsOf({
    ...yaml("views:\n  partitions: many\nkafka:\n  brokers: [nowhere]\nredis:\n  url: http://x\n"),
    env: { PALERMO_COMMIT_MS: "soon", PALERMO_ROLE: "all" },
  });
  const text = findings.join("\n");
  expect(text).toMatch(/palermo\.yaml:2:3 views\.partitions: /);
  expect(text).toMatch(/palermo\.yaml:4:3 kafka\.brokers\.0: expected host:port/);
  expect(text).toMatch(/palermo\.yaml:6:3 redis\.url: expected redis:\/\//);
  expect(text).toMatch(/environment PALERMO_COMMIT_MS:1:1 commit\.ms: /);
  expect(text).toMatch(/environment PALERMO_ROLE:1:1 role: /);
});

test("files that are no configuration are told, not obeyed", () => {
  expect(findingsOf(yaml("a: [1\n"))[0]).toMatch(/^palermo\.yaml:\d+:\d+ /);
  expect(findingsOf(yaml("- just\n- a list\n"))[0]).toContain("expected keys and values");
  expect(findingsOf(yaml("kafka: 5\n"))[0]).toContain("kafka is a section");
  expect(findingsOf(yaml("tenant: a\ntenant: b\n"))[0]).toMatch(/unique/i);
  expect(findingsOf(yaml("__proto__: { x: 1 }\n"))[0]).toContain("unknown key __proto__");
  expect(findingsOf(yaml(""))).toEqual([]);
  expect(findingsOf(yaml("kafka:\n"))).toEqual([]);
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), (text) => {
      findingsOf(yaml(text));
    }),
    { seed: 5, numRuns: 200 },
  );
});

test("an empty variable leaves the key as it was", () => {
  expect(loadConfig({ ...yaml("tenant: a\n"), env: { PALERMO_TENANT: "" } }).tenant).toBe("a");
});

test("printing masks every secret and keeps the rest readable by the loader", () => {
  const config = loadConfig({
    env: {
      PALERMO_KAFKA_SASL_MECHANISM: "plain",
      PALERMO_KAFKA_SASL_USERNAME: "user",
      PALERMO_KAFKA_SASL_PASSWORD: "hunter2",
      PALERMO_REDIS_URL: "rediss://app:hunter2@redis:6380/1",
      PALERMO_REDIS_PASSWORD: "hunter2",
    },
  });
  const text = printConfig(config);
  expect(text).not.toContain("hunter2");
  expect(text).toContain("redis.url: rediss://app:********@redis:6380/1");
  expect(text).toContain("kafka.sasl.username: user");
  expect(text.split("\n").length).toBe(configKeys().length + 1);
  expect(maskUrl("redis://:p@ss@host")).toBe("redis://:********@host");
  expect(maskUrl("redis://host:6379")).toBe("redis://host:6379");
});

test("every key has one name in each scheme, and every one is documented", () => {
  const keys = configKeys();
  for (const name of ["path", "env", "flag"] as const)
    expect(new Set(keys.map((key) => key[name])).size).toBe(keys.length);
  for (const key of keys) expect(key.about, key.path).not.toBe("");
  expect(keys.find((key) => key.path === "kafka.clientId")).toMatchObject({
    env: "PALERMO_KAFKA_CLIENT_ID",
    flag: "--kafka-client-id",
  });
  expect(keys.filter((key) => key.secret).map((key) => key.path)).toEqual(["kafka.sasl.password", "redis.password"]);
});

test("docs/configuration.md is what the schema says", async () => {
  await expect(configReference()).toMatchFileSnapshot("../../docs/configuration.md");
});
