/**
 * A real Apache Kafka broker (KRaft, one node) from the jars that scripts/services.mjs keeps in .cache, for one run or
 * for one test. It is formatted and started in about three seconds.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Kafka, logLevel } from "kafkajs";
import { freePorts, makeDir, type Service, startServer } from "./process.ts";

export interface KafkaOptions {
  /** Server properties that add to or replace our own, for example `{ "message.max.bytes": "2000000" }`. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Further listeners beside the plain one, by name, with their protocol; each gets a port of its own. */
  readonly listeners?: Readonly<Record<string, "PLAINTEXT" | "SSL" | "SASL_PLAINTEXT" | "SASL_SSL">>;
  /** Addresses that clients of such a listener are told, such as that of a proxy before it. */
  readonly advertised?: Readonly<Record<string, string>>;
  /** Users of SCRAM-SHA-512 with their passwords. */
  readonly scram?: Readonly<Record<string, string>>;
  /** Makes it another broker of the cluster of this one, which stays the controller. */
  readonly joins?: KafkaService;
  /** Largest heap of the broker in MiB, 512 by default. */
  readonly heapMb?: number;
  /** More options of the Java machine. */
  readonly javaArgs?: readonly string[];
}

export interface KafkaService extends Service {
  /** Addresses of the plain listener, as kafkajs takes them: `["127.0.0.1:PORT"]`. */
  readonly brokers: string[];
  /** Addresses of the further listeners, by their name. */
  readonly listeners: Readonly<Record<string, string>>;
  /** What another broker needs to join; none in Docker. */
  readonly cluster?: { readonly id: string; readonly controller: number; nodes: number };
}

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Starts a broker and waits until it accepts topics, groups and producers. */
export async function startLocalKafka(options: KafkaOptions = {}): Promise<KafkaService> {
  const jars = join(ROOT, ".cache", `kafka-${kafkaVersion()}`);
  if (!existsSync(join(jars, "complete"))) {
    throw new Error(`the Kafka jars are missing in ${jars}: run \`node scripts/services.mjs\``);
  }
  const names = Object.keys(options.listeners ?? {});
  const [port, controller, ...more] = (await freePorts(2 + names.length)) as [number, number, ...number[]];
  const listeners = Object.fromEntries(names.map((name, index) => [name, `127.0.0.1:${more[index]}`]));
  const dir = makeDir("kafka");
  const config = join(dir, "server.properties");
  const logFile = join(dir, "server.log");
  writeFileSync(config, propertiesText(serverProperties({ port, controller, dir, listeners, options })));
  writeFileSync(join(dir, "log4j2.properties"), logSettings(logFile));
  const java = [
    ...["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", `-Dlog4j2.configurationFile=${join(dir, "log4j2.properties")}`],
    ...["-cp", join(jars, "lib", "*")],
  ];
  const cluster = options.joins?.cluster ?? { id: randomBytes(16).toString("base64url"), controller, nodes: 1 };
  await promisify(execFile)("java", [
    ...java,
    "kafka.tools.StorageTool",
    "format",
    `--cluster-id=${cluster.id}`,
    "-c",
    config,
    ...Object.entries(options.scram ?? {}).map(
      ([name, password]) => `--add-scram=SCRAM-SHA-512=[name=${name},password=${password}]`,
    ),
  ]);
  const service = await startServer({
    name: "Kafka",
    command: "java",
    args: [`-Xmx${options.heapMb ?? 512}m`, ...(options.javaArgs ?? []), ...java, "kafka.Kafka", config],
    dir,
    startTimeoutMs: 60_000,
    ready: () => answers(`127.0.0.1:${port}`),
    log: () => (existsSync(logFile) ? readFileSync(logFile, "utf8").slice(-4000) : ""),
  });
  return { ...service, brokers: [`127.0.0.1:${port}`], listeners, cluster };
}

/** Version of the broker under test, from the file that names its jars. */
export function kafkaVersion(): string {
  const pom = readFileSync(join(ROOT, "test/services/kafka-pom.xml"), "utf8");
  const version = /<kafka\.version>([^<]+)</.exec(pom)?.[1];
  if (version === undefined) throw new Error("test/services/kafka-pom.xml has no kafka.version");
  return version;
}

/** True once the broker gives its metadata and finds a group's coordinator; before that, clients only see errors. */
export async function answers(broker: string): Promise<boolean> {
  const kafka = new Kafka({
    clientId: "ready",
    brokers: [broker],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 500,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    // Asking for any group makes the broker create its offsets topic.
    await admin.fetchOffsets({ groupId: "ready", topics: [] });
    return brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

interface Place {
  readonly port: number;
  readonly controller: number;
  readonly dir: string;
  readonly listeners: Readonly<Record<string, string>>;
  readonly options: KafkaOptions;
}

function serverProperties({ port, controller, dir, listeners, options }: Place): Record<string, string> {
  const own = Object.entries(listeners).map(([name, address]) => `${name}://${address}`);
  const told = Object.entries({ ...listeners, ...options.advertised }).map(([name, address]) => `${name}://${address}`);
  const protocols = Object.entries(options.listeners ?? {}).map(([name, protocol]) => `${name}:${protocol}`);
  return {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${controller}`,
    listeners: [`PLAINTEXT://127.0.0.1:${port}`, ...own, `CONTROLLER://127.0.0.1:${controller}`].join(","),
    "advertised.listeners": [`PLAINTEXT://127.0.0.1:${port}`, ...told].join(","),
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": ["PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT", ...protocols].join(","),
    "log.dirs": join(dir, "data"),
    ...SINGLE_NODE,
    ...(options.joins?.cluster === undefined ? {} : joining(options.joins.cluster, port)),
    ...options.properties,
  };
}

function joining(cluster: NonNullable<KafkaService["cluster"]>, port: number): Record<string, string> {
  cluster.nodes += 1;
  return {
    "process.roles": "broker",
    "node.id": String(cluster.nodes),
    "controller.quorum.voters": `1@127.0.0.1:${cluster.controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
  };
}

/** What a broker without others needs, and what makes it quick to start, to restart and to give a group its partitions. */
export const SINGLE_NODE = {
  "offsets.topic.replication.factor": "1",
  "offsets.topic.num.partitions": "4",
  "transaction.state.log.replication.factor": "1",
  "transaction.state.log.num.partitions": "4",
  "transaction.state.log.min.isr": "1",
  "share.coordinator.state.topic.replication.factor": "1",
  "share.coordinator.state.topic.min.isr": "1",
  "group.initial.rebalance.delay.ms": "0",
  "auto.create.topics.enable": "false",
  "num.partitions": "1",
  "log.cleaner.dedupe.buffer.size": "16777216",
  // After kill -9 the controller refuses the new broker until the session of the old one is over: 9 s by default.
  "broker.session.timeout.ms": "2000",
  "broker.heartbeat.interval.ms": "500",
};

function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll("\\", "\\\\")}\n`)
    .join("");
}

function logSettings(file: string): string {
  return [
    "status = error",
    "appender.file.type = File",
    "appender.file.name = file",
    `appender.file.fileName = ${file}`,
    "appender.file.layout.type = PatternLayout",
    "appender.file.layout.pattern = %d %p %c{1} %m%n%throwable{short}",
    "rootLogger.level = warn",
    "rootLogger.appenderRef.file.ref = file",
    "",
  ].join("\n");
}
