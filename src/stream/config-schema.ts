/**
 * The keys of the configuration of `palermo run` and `palermo feed`, with defaults, bounds and what they
 * mean. `config.ts` reads them from their sources; `docs/configuration.md` is generated from this file.
 */
import { z } from "zod";

/** A secret is masked wherever the configuration is printed. */
const secret = z.string().min(1).optional().meta({ secret: true });
const duration = (fallback: number, least: number, about: string) =>
  z.int().min(least).default(fallback).describe(about);

const sections = {
  role: z.enum(["intake", "screen", "both"]).default("both").describe("What this process does."),
  tenant: z.string().min(1).default("default").describe("Whose data this is; part of every alert id."),
  rules: z.string().optional().describe("Directory of rule files; default: those that come with Palermo."),
  lists: z
    .string()
    .optional()
    .describe("Directory of the operator's own lists; each replaces the shipped one of its name."),
  tuning: z
    .string()
    .optional()
    .describe("The operator's overrides of rules; default: `tuning.yaml` in the directory of rule files."),
  mapping: z.string().optional().describe("Mapping file for transactions of another shape."),
  packs: z.strictObject({
    activate: z
      .enum(["new", "always", "never"])
      .default("new")
      .describe(
        "When the rules given here take force at the start: if they were never in force (`new`), whenever others are " +
          "(`always`), or not at all, following what others activate (`never`).",
      ),
    watch: z
      .boolean()
      .default(true)
      .describe("Look out for changes of the rules and lists, check them, run their tests and activate them."),
  }),
  kafka: z.strictObject({
    brokers: z
      .array(z.string().regex(/^[^\s:]+:\d+$|^\[[0-9a-fA-F:]+\]:\d+$/, "expected host:port"))
      .min(1)
      .default(["localhost:9092"])
      .describe("Brokers to begin with, `host:port`, separated by commas."),
    clientId: z.string().default("palermo").describe("Name of this client in the broker's logs and quotas."),
    sasl: z.strictObject({
      mechanism: z
        .enum(["plain", "scram-sha-256", "scram-sha-512"])
        .optional()
        .describe("SASL mechanism; none: no authentication."),
      username: z.string().optional().describe("SASL user."),
      password: secret.describe("SASL password."),
    }),
    tls: z.strictObject({
      enabled: z.boolean().default(false).describe("Speak TLS; implied by any other key of kafka.tls."),
      ca: z.string().optional().describe("PEM file of the authority that signed the brokers' certificates."),
      cert: z.string().optional().describe("PEM file of the client certificate."),
      key: z.string().optional().describe("PEM file of its private key."),
    }),
    sessionTimeoutMs: duration(10_000, 6_000, "A worker silent for so long loses its partitions."),
    requestTimeoutMs: duration(30_000, 1_000, "A request without a reply for so long is given up and repeated."),
    watchdogMs: duration(60_000, 10_000, "A worker that has not fetched for so long exits, to be started again."),
    replicationFactor: z
      .int()
      .min(0)
      .max(9)
      .default(0)
      .describe("Replicas of topics that are created; 0: three, or as many as there are brokers."),
  }),
  redis: z.strictObject({
    url: z
      .string()
      .regex(/^rediss?:\/\//, "expected redis://host:port or rediss://host:port")
      .default("redis://localhost:6379")
      .describe("Where state is kept; `rediss:` speaks TLS."),
    username: z.string().optional().describe("ACL user; wins over the one in the URL."),
    password: secret.describe("Password; wins over the one in the URL."),
    prefix: z.string().default("palermo").describe("Every key begins with it."),
    cluster: z.boolean().default(false).describe("The address is a node of a Redis Cluster."),
    tls: z.strictObject({
      ca: z.string().optional().describe("PEM file of the authority that signed the server's certificate."),
      cert: z.string().optional().describe("PEM file of the client certificate."),
      key: z.string().optional().describe("PEM file of its private key."),
    }),
  }),
  topic: z.strictObject({
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9._-]*$/, "letters, digits, dot, dash, underscore")
      .default("palermo.")
      .describe("Palermo's own topics begin with it."),
    transactions: z
      .string()
      .min(1)
      .default("transactions")
      .describe("Topic that holds the movements; the prefix does not apply."),
    parties: z.string().optional().describe("Topic that holds profiles; default: `parties` with the prefix."),
    transactionsPartitions: z
      .int()
      .min(1)
      .max(4_096)
      .default(4)
      .describe("Partitions of the inputs, where Palermo has to create them."),
  }),
  views: z.strictObject({
    partitions: z
      .int()
      .min(1)
      .max(4_096)
      .default(16)
      .describe(
        "Partitions of the views topic: units of parallelism. Fixed at the first start; a change means a rebuild.",
      ),
    retentionDays: z
      .int()
      .min(1)
      .default(275)
      .describe("How long views are kept, so that state can be rebuilt: at least the longest window plus 90 days."),
  }),
  alerts: z.strictObject({
    partitions: z.int().min(1).max(4_096).default(4).describe("Partitions of the alert topics."),
    retentionDays: z.int().min(1).default(30).describe("How long alerts are kept."),
  }),
  intake: z.strictObject({
    group: z.string().default("palermo-intake").describe("Consumer group of intake; positions are kept under it."),
    epoch: z
      .int()
      .min(0)
      .default(0)
      .describe("Raised by the operator to read the inputs from their beginning as new, after a log was replaced."),
    rejectedBytes: z
      .boolean()
      .default(false)
      .describe("Rejected records carry their bytes; they may hold personal data."),
    batchViews: z
      .int()
      .min(1)
      .max(65_536)
      .default(1_024)
      .describe("Most views of one record of the views topic, at a message's edge."),
    batchBytes: z.int().min(4_096).max(524_288).default(262_144).describe("Most bytes of one, at a message's edge."),
  }),
  screen: z.strictObject({
    group: z.string().default("palermo-screen").describe("Consumer group of screening."),
    cacheMb: z.int().min(8).default(64).describe("Memory for hot entities, megabytes."),
    laneLimit: z
      .int()
      .min(1)
      .default(10_000)
      .describe("A partition whose outbox holds so many alerts (or marks) that could not leave waits."),
  }),
  commit: z.strictObject({
    ms: duration(50, 1, "A commit closes after so long,"),
    entities: z.int().min(1).default(500).describe("or at so many changed entities,"),
    bytes: z.int().min(65_536).default(4_194_304).describe("or at so many bytes."),
  }),
  drift: z.strictObject({
    aheadMs: duration(5_000, 0, "A partition so far ahead of the slowest, in event time, waits for it; 0: never."),
    waitMs: duration(60_000, 0, "But at most so long without progress."),
  }),
  http: z.strictObject({
    host: z.string().default("0.0.0.0").describe("Address of the health and metrics endpoint."),
    port: z.int().min(0).max(65_535).default(8_080).describe("Its port; 0 picks a free one."),
    stalledMs: duration(60_000, 1_000, "A partition with lag that has not moved for so long makes /readyz fail."),
  }),
  log: z.strictObject({
    level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info").describe("Least level that is logged."),
  }),
  stop: z.strictObject({
    deadlineMs: duration(25_000, 1_000, "A graceful stop takes at most so long."),
  }),
};

export const configSchema = z.strictObject(sections);
export type Config = z.infer<typeof configSchema>;
