/**
 * Hostile neighbours: TLS and SASL/SCRAM on a real broker, TLS and an ACL user on a real Redis; then each of them refused
 * in turn, with a message that names the fix, an end instead of endless silence, and no secret anywhere.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Certificates, makeCertificates } from "../services/certificates.ts";
import { type KafkaService, type RedisService, startKafka, startRedis } from "../services/index.ts";
import { freePorts } from "../services/process.ts";
import { expectAsReference, referenceOf } from "./oracle.ts";
import { startPalermo } from "./palermo-process.ts";
import { createRunRig, type Env, type RunRig } from "./run-rig.ts";
import { movements } from "./sample.ts";

const KAFKA_SECRET = "kafka-secret-of-test";
const REDIS_SECRET = "redis-secret-of-test";
/** What the user of Palermo must be allowed in Redis; all keys of Palermo begin with its prefix. */
const REDIS_RIGHTS = ["+@read", "+@write", "+@connection", "+fcall", "+function|load", "+info"];

/** What a process may take to find out that it is not wanted. */
const PATIENCE_MS = 30_000;

let kafka: KafkaService;
let redis: RedisService;
let certificates: Certificates;
let rig: RunRig;
let secure: Env;
let expiredRedisPort: number;
let expiredRedis: RedisService;

beforeAll(async () => {
  certificates = makeCertificates();
  const { certWithKey, expiredWithKey, ca, cert, key, expired } = certificates;
  kafka = await startKafka({
    listeners: { SECURE: "SASL_SSL", EXPIRED: "SSL" },
    scram: { teller: KAFKA_SECRET },
    properties: {
      "sasl.enabled.mechanisms": "SCRAM-SHA-512",
      "listener.name.secure.scram-sha-512.sasl.jaas.config":
        "org.apache.kafka.common.security.scram.ScramLoginModule required;",
      "listener.name.secure.ssl.keystore.type": "PEM",
      "listener.name.secure.ssl.keystore.location": certWithKey,
      "listener.name.expired.ssl.keystore.type": "PEM",
      "listener.name.expired.ssl.keystore.location": expiredWithKey,
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "super.users": "User:ANONYMOUS",
    },
  });
  const [tlsPort, other] = (await freePorts(2)) as [number, number];
  const tls = (port: number, file: string): string[] => [
    ...["--tls-port", String(port), "--tls-cert-file", file, "--tls-key-file", key],
    ...["--tls-ca-cert-file", ca, "--tls-auth-clients", "no"],
  ];
  redis = await startRedis({ args: tls(tlsPort, cert) });
  expiredRedisPort = other;
  expiredRedis = await startRedis({ args: tls(other, expired) });
  rig = await createRunRig({ brokers: kafka.brokers, redisUrl: redis.url });
  await rig.redis.call("ACL", "SETUSER", "palermo", "on", `>${REDIS_SECRET}`, `~${rig.id}:*`, ...REDIS_RIGHTS);
  secure = {
    PALERMO_KAFKA_BROKERS: kafka.listeners.SECURE ?? "",
    PALERMO_KAFKA_TLS_CA: ca,
    PALERMO_KAFKA_SASL_MECHANISM: "scram-sha-512",
    PALERMO_KAFKA_SASL_USERNAME: "teller",
    PALERMO_KAFKA_SASL_PASSWORD: KAFKA_SECRET,
    PALERMO_REDIS_URL: `rediss://127.0.0.1:${tlsPort}`,
    PALERMO_REDIS_TLS_CA: ca,
    PALERMO_REDIS_USERNAME: "palermo",
    PALERMO_REDIS_PASSWORD: REDIS_SECRET,
    PALERMO_LOG_LEVEL: "debug",
  };
  // The topics exist before the user comes, who may not make any.
  await (await rig.start("both")).stop();
  await rig.admin.createAcls({ acl: [...aclsOf(rig, 3), ...aclsOf(rig, 4), ...groupAcl(rig)] });
}, 120_000);

afterAll(async () => {
  await rig.close();
  for (const service of [kafka, redis, expiredRedis]) await service.close();
});

const ALLOW = { permissionType: 3, host: "*", principal: "User:teller" } as const;
/** READ is 3, WRITE 4; on everything whose name begins with the rig's id. */
function aclsOf({ id }: RunRig, operation: 3 | 4) {
  return [{ ...ALLOW, resourceType: 2, resourceName: id, resourcePatternType: 4, operation }];
}
function groupAcl({ id }: RunRig) {
  return [{ ...ALLOW, resourceType: 3, resourceName: id, resourcePatternType: 4, operation: 3 }];
}

/** Runs until it ends; gives its exit code and everything that it said. */
async function refused(changes: Env): Promise<{ readonly code: number | null; readonly said: string }> {
  const palermo = startPalermo(["run"], { ...rig.env, ...secure, PALERMO_ROLE: "both", ...changes });
  const code = await Promise.race([palermo.ended(), sleep(PATIENCE_MS)]);
  if (palermo.running) {
    await palermo.kill();
    throw new Error(`it did not end within ${PATIENCE_MS} ms and said:\n${palermo.log().slice(-4_000)}`);
  }
  expectNoSecret(palermo.log());
  return { code: code ?? null, said: palermo.log() };
}

function expectNoSecret(text: string): void {
  for (const secret of [KAFKA_SECRET, REDIS_SECRET, "wrong-secret"]) expect(text).not.toContain(secret);
}

test("TLS, SCRAM and an ACL user: a run as any other, and no secret in its log", { timeout: 90_000 }, async () => {
  const lines = movements(2_000, 11);
  const reference = referenceOf(rig, lines);
  const palermo = await rig.start("both", secure);
  await rig.feed(lines);
  await rig.settled(lines.length);
  await expectAsReference(rig, reference);
  expect(await palermo.stop()).toBe(0);
  expectNoSecret(palermo.log());
});

test("--print-config shows neither password", async () => {
  const url = `rediss://palermo:${REDIS_SECRET}@127.0.0.1:1`;
  const printing = startPalermo(["run", "--print-config"], { ...rig.env, ...secure, PALERMO_REDIS_URL: url });
  expect(await printing.ended()).toBe(0);
  expect(printing.log()).toContain("kafka.sasl.username: teller");
  expectNoSecret(printing.log());
});

describe("refusals end the process with a message that names the fix", () => {
  test.each<[string, () => Env, RegExp]>([
    [
      "a wrong SASL password",
      () => ({ PALERMO_KAFKA_SASL_PASSWORD: "wrong-secret" }),
      /the broker refused the user name or password: check kafka\.sasl\.username and kafka\.sasl\.password/,
    ],
    [
      "a SASL mechanism that the broker does not have",
      () => ({ PALERMO_KAFKA_SASL_MECHANISM: "plain" }),
      /the broker does not offer this SASL mechanism: check kafka\.sasl\.mechanism/,
    ],
    [
      "an authority that is not ours",
      () => ({ PALERMO_KAFKA_TLS_CA: "", PALERMO_KAFKA_TLS_ENABLED: "true" }),
      /the broker's certificate is not trusted for this address: check kafka\.tls\.ca/,
    ],
    [
      "a broker's certificate that has expired",
      () => ({ PALERMO_KAFKA_BROKERS: kafka.listeners.EXPIRED ?? "", ...NO_SASL }),
      /the broker's certificate has expired/,
    ],
    [
      "a file of the authority that is not there",
      () => ({ PALERMO_KAFKA_TLS_CA: "/nowhere/ca.pem" }),
      /kafka\.tls\.ca: \/nowhere\/ca\.pem cannot be read/,
    ],
    [
      "a wrong Redis password",
      () => ({ PALERMO_REDIS_PASSWORD: "wrong-secret" }),
      /WRONGPASS .*\(check user and password\)/,
    ],
    ["a Redis user without rights on the keys", () => ({ PALERMO_REDIS_PREFIX: "elsewhere" }), /NOPERM/],
    [
      "a Redis certificate that has expired",
      () => ({ PALERMO_REDIS_URL: `rediss://127.0.0.1:${expiredRedisPort}` }),
      /certificate has expired \(check redis\.tls\)/,
    ],
    ["a Redis authority that is not ours", () => ({ PALERMO_REDIS_TLS_CA: "" }), /CERTIFICATE .*\(check redis\.tls\)/],
  ])("%s", { timeout: 60_000 }, async (_what, changes, message) => {
    const { code, said } = await refused(changes());
    expect(said).toMatch(message);
    expect(code).not.toBe(0);
  });

  test("a topic without write permission", { timeout: 90_000 }, async () => {
    const deny = { ...ALLOW, permissionType: 2, resourceType: 2, resourcePatternType: 3, operation: 4 } as const;
    await rig.admin.createAcls({ acl: [{ ...deny, resourceName: rig.topics.views }] });
    await rig.feed(movements(100, 12));
    const { code, said } = await refused({});
    expect(said).toContain(rig.topics.views);
    expect(said).toContain("the user may not read or write this topic: grant it");
    expect(code).toBe(1);
  });
});

const NO_SASL = {
  PALERMO_KAFKA_SASL_MECHANISM: "",
  PALERMO_KAFKA_SASL_USERNAME: "",
  PALERMO_KAFKA_SASL_PASSWORD: "",
};
