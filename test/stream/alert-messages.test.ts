/** Where an alert goes, under which key, and what its headers say; the stub of a protected one names nobody. */
import { describe, expect, it } from "vitest";
import { alertSchema, alertStubSchema } from "../../src/domain/alert.ts";
import { alertMessages } from "../../src/stream/alert-messages.ts";
import { sampleAlert } from "../cli/sample-alert.ts";

const topic = (name: string) => ({ name, partitions: 4 });
const TOPICS = {
  views: topic("views"),
  alerts: topic("alerts"),
  protected: topic("protected"),
  shadow: topic("shadow"),
  rejected: topic("rejected"),
};
const AT = Date.UTC(2026, 2, 15, 9, 0, 0);
const messages = (over: Parameters<typeof sampleAlert>[0]) => alertMessages(sampleAlert(over), "7.0.1", AT, TOPICS);

describe("messages of an alert", () => {
  it("are one on the alerts topic, keyed by its subject, with CloudEvents headers", () => {
    const alert = sampleAlert({ alertClass: "standard", tenant: "a bank" });
    const [message, ...more] = alertMessages(alert, "7.0.1", AT, TOPICS);
    expect(more).toEqual([]);
    expect([message?.topic, message?.record.key]).toEqual(["alerts", alert.subject.token]);
    expect(alertSchema.parse(JSON.parse(String(message?.record.value)))).toEqual(alert);
    expect(message?.record.headers).toEqual({
      ce_specversion: "1.0",
      ce_id: `${alert.alertId}/${alert.revision}`,
      ce_type: "palermo.alert.v1",
      ce_source: "/palermo/a%20bank",
      ce_subject: alert.subject.token,
      ce_time: alert.updatedAt,
      "content-type": "application/json",
      sequence: "7.0.1",
      detectedat: "2026-03-15T09:00:00.000Z",
    });
  });

  it("of class protected go whole to their own topic; the common one has a stub that names nobody", () => {
    const alert = sampleAlert({ alertClass: "protected" });
    const [whole, stub, ...more] = messages({ alertClass: "protected" });
    expect(more).toEqual([]);
    expect([whole?.topic, stub?.topic]).toEqual(["protected", "alerts"]);
    expect(JSON.parse(String(whole?.record.value))).toEqual(alert);
    const { alertId, revision, alertClass, sla } = alert;
    const said = alertStubSchema.parse(JSON.parse(String(stub?.record.value)));
    expect(said).toEqual({ schema: "alert-stub/1", alertId, revision, alertClass, sla });
    const text = JSON.stringify(stub?.record);
    for (const { token } of [alert.subject, ...alert.parties]) expect(text).not.toContain(token);
    for (const { listed } of alert.indicators.flatMap(({ evidence }) => evidence)) {
      for (const { txId } of listed) expect(text).not.toContain(`"${txId}"`);
    }
    expect(stub?.record.headers).toMatchObject({ ce_type: "palermo.alert-stub.v1" });
  });

  it.each(["standard", "protected"] as const)("of a rule on trial go to the shadow topic alone (%s)", (alertClass) => {
    expect(messages({ status: "shadow", alertClass }).map((message) => message.topic)).toEqual(["shadow"]);
  });
});
