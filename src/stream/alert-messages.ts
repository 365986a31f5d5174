/** What becomes of an alert on its way out: which topics, under which key, with which headers. Pure. */

import { fnv1a32 } from "../base/hash.ts";
import type { Alert, AlertStub } from "../domain/alert.ts";
import type { OutRecord } from "./bus.ts";
import type { ScreenTopics, TopicRef } from "./screen-ports.ts";

export interface AlertMessage {
  readonly topic: string;
  readonly record: OutRecord;
}

/**
 * Messages of one alert record. An alert in shadow goes to its own topic only. One of class `protected` goes whole to
 * the protected topic, and the common topic carries a stub without subject or evidence. `detectedAtMs`: wall time of
 * this publication, from which service levels count (CloudEvents 1.0, Kafka binding, binary mode).
 */
export function alertMessages(
  alert: Alert,
  sequence: string,
  detectedAtMs: number,
  topics: ScreenTopics,
): AlertMessage[] {
  const whole = (topic: TopicRef): AlertMessage =>
    message(topic, alert.subject.token, alert, headersOf(alert, "palermo.alert.v1", sequence, detectedAtMs));
  if (alert.status === "shadow") return [whole(topics.shadow)];
  if (alert.alertClass !== "protected") return [whole(topics.alerts)];
  const { ce_subject, ...rest } = headersOf(alert, "palermo.alert-stub.v1", sequence, detectedAtMs);
  // The stub names nobody: its key is the alert, which keeps its revisions in order as well.
  return [whole(topics.protected), message(topics.alerts, alert.alertId, stubOf(alert), rest)];
}

/** What the common topic says of a protected alert. */
export function stubOf({ alertId, revision, alertClass, sla }: Alert): AlertStub {
  return { schema: "alert-stub/1", alertId, revision, alertClass, sla };
}

function headersOf(alert: Alert, type: string, sequence: string, detectedAtMs: number): Record<string, string> {
  return {
    ce_specversion: "1.0",
    ce_id: `${alert.alertId}/${alert.revision}`,
    ce_type: type,
    ce_source: `/palermo/${encodeURIComponent(alert.tenant)}`,
    ce_subject: alert.subject.token,
    ce_time: alert.updatedAt,
    "content-type": "application/json",
    sequence,
    detectedat: new Date(detectedAtMs).toISOString(),
  };
}

function message(topic: TopicRef, key: string, body: unknown, headers: Record<string, string>): AlertMessage {
  const partition = fnv1a32(key) % topic.partitions;
  return { topic: topic.name, record: { partition, key, value: JSON.stringify(body), headers } };
}
