/**
 * `npm run test:compose`: tries docker-compose.yml for real. Brings it up, sends a fixture into it, reads the alerts
 * topic with Kafka's own console client, compares with what `palermo replay` says of the same file, and takes all down
 * again with its volumes. Needs Docker with compose; ports and project are its own, so a running Palermo is left alone.
 */
import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ensureBuild,
  ensurePackages,
  foreground,
  hasCommand,
  quietStep,
  root,
  runScript,
  StepError,
  say,
} from "./steps.mjs";

const FIXTURE = "fixtures/demo/transactions.ndjson";
const PARTIES = "fixtures/demo/parties.ndjson";
const ALERTS_TOPIC = "palermo.alerts";
/** A month of movements in a few seconds: intake lets screening keep up with event time. */
const WAIT_MS = 300_000;
/** How output is read: all of it, and what goes to standard error only when the command fails. */
const READ = { cwd: root, encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] };

await runScript(async () => {
  if (!hasCommand("docker")) throw new StepError("npm run test:compose needs docker with compose v2 on the PATH.");
  await ensurePackages();
  await ensureBuild();
  const expected = alertIds(palermo(["replay", FIXTURE, "--parties", PARTIES, "--format", "ndjson"]));
  const compose = await composeOf(`palermo-test-${process.pid}`);
  try {
    await quietStep("Building the image", ...compose("build", "intake"));
    await quietStep("Starting Kafka, Redis, intake and screen", ...compose("up", "--detach", "--wait"));
    await quietStep(`Feeding ${FIXTURE}`, ...compose("run", "--rm", "-T", "feed"));
    const found = await alertsOf(compose, expected.size);
    return verdict(expected, found);
  } catch (error) {
    await foreground(...compose("logs", "--no-color", "--tail", "40", "intake", "screen"));
    throw error;
  } finally {
    await quietStep("Taking it down", ...compose("--profile", "demo", "down", "--volumes", "--remove-orphans"));
  }
});

/** A function that makes the arguments of quietStep for a compose command, under a project and ports of its own. */
async function composeOf(project) {
  const [kafka, intake, screen] = await Promise.all([freePort(), freePort(), freePort()]);
  const env = {
    ...process.env,
    PALERMO_COMPOSE_KAFKA_PORT: String(kafka),
    PALERMO_COMPOSE_INTAKE_PORT: String(intake),
    PALERMO_COMPOSE_SCREEN_PORT: String(screen),
  };
  return (...args) => ["docker", ["compose", "--project-name", project, "--progress", "plain", ...args], { env }];
}

/** Reads the topic until it holds as many different alerts as expected, or time is up. */
async function alertsOf(compose, wanted) {
  const consumer = ["/opt/kafka/bin/kafka-console-consumer.sh", "--bootstrap-server", "localhost:19092"];
  const what = ["--topic", ALERTS_TOPIC, "--from-beginning", "--timeout-ms", "5000"];
  const deadline = Date.now() + WAIT_MS;
  say(`Reading ${ALERTS_TOPIC} with Kafka's console client ...`);
  let found = new Set();
  while (Date.now() < deadline) {
    const [command, args, { env }] = compose("exec", "-T", "kafka", ...consumer, ...what);
    found = alertIds(execFileSync(command, args, { ...READ, env }));
    if (found.size >= wanted) return found;
    await sleep(1000);
  }
  return found;
}

function verdict(expected, found) {
  const missing = [...expected].filter((id) => !found.has(id));
  const unexpected = [...found].filter((id) => !expected.has(id));
  say(`${found.size} alerts on ${ALERTS_TOPIC}, ${expected.size} expected from replay`);
  for (const id of missing) say(`missing: ${id}`);
  for (const id of unexpected) say(`not expected: ${id}`);
  if (expected.size === 0) say(`${FIXTURE} raises no alert: this test could not fail`);
  return expected.size > 0 && missing.length === 0 && unexpected.length === 0 ? 0 : 1;
}

/** The ids in lines of JSON; other lines, such as the console client's own, are passed over. */
function alertIds(text) {
  const lines = text.split("\n").filter((line) => line.startsWith("{"));
  return new Set(lines.map((line) => JSON.parse(line).alertId));
}

function palermo(args) {
  return execFileSync(process.execPath, [join(root, "bin/palermo.js"), ...args], READ);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
