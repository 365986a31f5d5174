/** The same Redis and Kafka as containers, through testcontainers, where PALERMO_TEST_SERVICES=docker asks for them. */
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from "testcontainers";
import { answers, type KafkaOptions, type KafkaService, kafkaVersion, SINGLE_NODE } from "./kafka.ts";
import { firstReply, freePorts, type Service, waitFor } from "./process.ts";
import { type RedisOptions, type RedisService, redisArguments } from "./redis.ts";

const START_TIMEOUT_MS = 120_000;

/** Starts redis:7-bookworm on a port of the host that stays the same over a restart. */
export async function startDockerRedis(options: RedisOptions = {}): Promise<RedisService> {
  const [port] = (await freePorts(1)) as [number];
  const container = await new GenericContainer("redis:7-bookworm")
    .withExposedPorts({ container: 6379, host: port })
    .withCommand(["redis-server", ...redisArguments(options)])
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  const ready = async (): Promise<boolean> =>
    /^(\+PONG|-NOAUTH|-NOPERM)/.test((await firstReply(port, "PING\r\n")) ?? "");
  const service = await control("Redis", container, ready);
  return { ...service, host: "127.0.0.1", port, url: `redis://127.0.0.1:${port}` };
}

/** Starts apache/kafka as one KRaft node that advertises the port of the host under which it is published. */
export async function startDockerKafka(options: KafkaOptions = {}): Promise<KafkaService> {
  const names = Object.keys(options.listeners ?? {});
  const [port, ...more] = (await freePorts(1 + names.length)) as [number, ...number[]];
  const listeners = Object.fromEntries(names.map((name, index) => [name, `127.0.0.1:${more[index]}`]));
  const container = await new GenericContainer(`apache/kafka:${kafkaVersion()}`)
    .withExposedPorts(...[port, ...more].map((each) => ({ container: each, host: each })))
    .withEnvironment(kafkaEnvironment(port, listeners, options))
    .withWaitStrategy(Wait.forLogMessage("Kafka Server started"))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  const broker = `127.0.0.1:${port}`;
  const service = await control("Kafka", container, () => answers(broker));
  return { ...service, brokers: [broker], listeners };
}

/** Any such variable replaces the whole default configuration of the image, so all that is needed is here. */
function kafkaEnvironment(
  port: number,
  listeners: Readonly<Record<string, string>>,
  options: KafkaOptions,
): Record<string, string> {
  const bound = Object.entries(listeners).map(([name, address]) => `${name}://0.0.0.0:${address.split(":")[1]}`);
  const advertised = Object.entries(listeners).map(([name, address]) => `${name}://${address}`);
  const protocols = Object.entries(options.listeners ?? {}).map(([name, protocol]) => `${name}:${protocol}`);
  const properties: Record<string, string> = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": "1@localhost:9093",
    listeners: [`PLAINTEXT://0.0.0.0:${port}`, ...bound, "CONTROLLER://localhost:9093"].join(","),
    "advertised.listeners": [`PLAINTEXT://127.0.0.1:${port}`, ...advertised].join(","),
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": ["PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT", ...protocols].join(","),
    ...SINGLE_NODE,
    ...options.properties,
  };
  const variable = (name: string): string =>
    `KAFKA_${name.replaceAll("_", "__").replaceAll("-", "___").replaceAll(".", "_").toUpperCase()}`;
  const entries = Object.entries(properties).map(([name, value]) => [variable(name), value]);
  return { ...Object.fromEntries(entries), KAFKA_HEAP_OPTS: `-Xmx${options.heapMb ?? 512}m` };
}

/** The life of a started container. Docker keeps its data and its published ports while it is only stopped. */
async function control(name: string, container: StartedTestContainer, ready: () => Promise<boolean>): Promise<Service> {
  const client = await getContainerRuntimeClient();
  const handle = client.container.getById(container.getId());
  const isRunning = async (): Promise<boolean> => (await handle.inspect()).State.Running;
  const untilReady = (): Promise<void> => waitFor(`${name} in Docker answers`, ready, START_TIMEOUT_MS);
  await untilReady();
  let closed = false;
  const stop = async (): Promise<void> => {
    if (await isRunning()) await handle.stop({ t: 30 });
  };
  return {
    stop,
    kill: async () => {
      if (!(await isRunning())) return;
      await handle.kill({ signal: "SIGKILL" });
      await handle.wait();
    },
    restart: async () => {
      await stop();
      await handle.start();
      await untilReady();
    },
    pause: async () => void (await handle.pause()),
    resume: async () => void (await handle.unpause()),
    close: async () => {
      if (closed) return;
      closed = true;
      await handle.remove({ force: true, v: true });
    },
  };
}
