/** Vitest's global setup of the project `services`: one Kafka and one Redis for the whole run, side by side. */
import type { TestProject } from "vitest/node";
import { type Service, startKafka, startRedis } from "./index.ts";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const kafkaGiven = process.env.PALERMO_TEST_KAFKA;
  const redisGiven = process.env.PALERMO_TEST_REDIS;
  const started: Service[] = [];
  const closeAll = async (): Promise<void> => {
    await Promise.all(started.map((service) => service.close()));
  };
  const keep = <T extends Service>(service: T): T => {
    started.push(service);
    return service;
  };
  const [brokers, url] = await Promise.allSettled([
    kafkaGiven ? kafkaGiven.split(",") : startKafka().then((kafka) => keep(kafka).brokers),
    redisGiven ?? startRedis({ appendOnly: true }).then((redis) => keep(redis).url),
  ]);
  if (brokers.status === "rejected" || url.status === "rejected") {
    await closeAll();
    throw brokers.status === "rejected" ? brokers.reason : (url as PromiseRejectedResult).reason;
  }
  project.provide("kafkaBrokers", brokers.value);
  project.provide("redisUrl", url.value);
  return closeAll;
}
