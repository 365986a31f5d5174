/**
 * `node scripts/services.mjs`: puts in place what the tests with real services need, once per machine: Debian's
 * redis-server, Java, and the jars of Apache Kafka from Maven Central under .cache.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { hasCommand, installDebianPackages, quietStep, root, runScript, say } from "./steps.mjs";

const COPY_DEPENDENCIES = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/** Installs what is missing; what is there already costs nothing. */
export async function ensureServices() {
  if (process.env.PALERMO_TEST_SERVICES === "docker") return;
  if (!process.env.PALERMO_TEST_REDIS && !hasCommand("redis-server")) {
    await installDebianPackages("The tests' Redis", ["redis-server"]);
  }
  if (process.env.PALERMO_TEST_KAFKA) return;
  if (!hasCommand("java")) await installDebianPackages("The tests' Kafka", ["default-jre-headless"]);
  await ensureKafka();
}

async function ensureKafka() {
  const pom = join(root, "test/services/kafka-pom.xml");
  const text = readFileSync(pom, "utf8");
  const version = /<kafka\.version>([^<]+)</.exec(text)[1];
  const home = join(root, ".cache", `kafka-${version}`);
  const marker = join(home, "complete");
  // The marker is written last and holds what was asked for: a broken download or another list of jars is done anew.
  if (existsSync(marker) && readFileSync(marker, "utf8") === text) return;
  if (!hasCommand("mvn")) await installDebianPackages("The tests' Kafka", ["maven"]);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const goal = [COPY_DEPENDENCIES, "-DincludeScope=runtime", `-DoutputDirectory=${join(home, "lib")}`];
  await quietStep(`Fetching Apache Kafka ${version} from Maven Central (55 MB)`, "mvn", [
    "-B",
    "-q",
    "-ntp",
    "-f",
    pom,
    ...goal,
  ]);
  writeFileSync(marker, text);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runScript(async () => {
    await ensureServices();
    say("The services of the tests are in place.");
    return 0;
  });
}
