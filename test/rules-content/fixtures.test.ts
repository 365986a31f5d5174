import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Alert } from "../../src/domain/alert.ts";
import { readRuleFiles } from "../../src/files/rules-dir.ts";
import { createDecoder } from "../../src/intake/decode.ts";
import { loadPack } from "../../src/rules/load.ts";
import { createEmbedded } from "../../src/screen/embedded.ts";
import { settleAlerts } from "../../src/screen/settled.ts";

const ROOT = join(import.meta.dirname, "../..");
const FIXTURES = join(ROOT, "fixtures");
const { pack, lists } = loadPack(readRuleFiles(join(ROOT, "rules")), {});

/** What opens in each story: typology and subject. */
const OPENS: Record<string, string[]> = {
  "family-remitter": [],
  lookalikes: [],
  "npo-appeal": [],
  "funnel-ring": ["HT-SX k1.RINGHOLDER"],
  labour: ["HT-LAB k1.FOREMAN"],
  "micro-collection": ["TF k1.COLLECTOR"],
  // NX opens first and ends as superseded when NX-DUAL-03 does.
  nexus: [
    "HT-SX k1.NEXUSHOLDER",
    "NX k1.NEXUSHOLDER",
    "NX-DUAL-03 k1.NEXUSHOLDER",
    "NX-DUAL-03 k1.TRADER",
    "TF k1.TRADER",
  ],
  "online-ads": ["HT-SX k1.ADSHOLDER"],
  "smuggling-collector": ["SM k1.TRANSITSHOP"],
  demo: [
    "HT-CTRL-01 k1.HOUSEPHONE",
    "HT-LAB k1.FOREMAN",
    "HT-SX k1.HOUSEKEEPER",
    "HT-SX k1.NEXUSHOLDER",
    "NX k1.NEXUSHOLDER",
    "NX-DUAL-03 k1.NEXUSHOLDER",
    "NX-DUAL-03 k1.TRADER",
    "SM k1.TRANSITSHOP",
    "TF k1.TRADER",
    "TF k1.TREASURER",
  ],
};

function lines(story: string, file: string): string[] {
  const path = join(FIXTURES, story, file);
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
}

function screen(story: string): { alerts: Alert[]; rejects: string[]; hits: string[] } {
  if (pack === undefined) throw new Error("the shipped pack does not compile");
  const alerts: Alert[] = [];
  const hits: string[] = [];
  const rejects: string[] = [];
  const embedded = createEmbedded(pack, {
    alert: (alert) => alerts.push(alert),
    hit: (hit) => hits.push(hit.ruleId),
    verdict: () => {},
  });
  const decoder = createDecoder({ rates: lists.rates, asOf: Date.UTC(2027, 0, 1) });
  for (const line of [...lines(story, "parties.ndjson"), ...lines(story, "transactions.ndjson")]) {
    const decoded = decoder.decodeJson(line);
    if (decoded.kind === "tx") embedded.pushTx(decoded.tx);
    else if (decoded.kind === "profile") embedded.pushProfile(decoded.profile);
    else if (decoded.kind === "reject") rejects.push(JSON.stringify(decoded.reject));
  }
  return { alerts, rejects, hits };
}

it("are what the generator writes", () => {
  expect(() => execFileSync(process.execPath, [join(ROOT, "scripts/make-fixtures.mjs"), "--check"])).not.toThrow();
});

describe.each(Object.keys(OPENS))("story %s", (story) => {
  const { alerts, rejects, hits } = screen(story);
  const settled = settleAlerts(alerts);

  it("gives the alerts that are committed beside it, in settled form", async () => {
    const text = settled.map((alert) => `${JSON.stringify(alert)}\n`).join("");
    await expect(text).toMatchFileSnapshot(join(FIXTURES, story, "alerts.ndjson"));
  });

  it("is read without a reject", () => {
    expect(rejects).toEqual([]);
  });

  it("opens what its README says and nothing else", () => {
    const found = settled.map(({ typology, subject }) => `${typology.id} ${subject.token}`);
    expect([...new Set(found)].sort()).toEqual([...(OPENS[story] ?? [])].sort());
  });

  it("never names a person who may be a victim as the subject of a report", () => {
    for (const alert of settled)
      expect([alert.alertId, alert.handling.doNotNameAsSubject]).toEqual([alert.alertId, alert.victimPossible]);
  });

  it("has a README of one page with one heading", () => {
    const readme = readFileSync(join(FIXTURES, story, "README.md"), "utf8");
    expect(readme.match(/^# /gm)).toHaveLength(1);
    expect(readme.split("\n").length).toBeLessThan(60);
  });

  it("gives hits also where it opens nothing, so that quiet is not deafness", () => {
    if (story !== "family-remitter") expect(hits.length).toBeGreaterThan(0);
  });
});

it("every folder of fixtures with transactions is told here", () => {
  const folders = readdirSync(FIXTURES).filter((name) => existsSync(join(FIXTURES, name, "transactions.ndjson")));
  expect(folders.sort()).toEqual(Object.keys(OPENS).sort());
});

it("the nexus story reaches the trader although the collector is flagged after the money left", () => {
  const { alerts } = screen("nexus");
  const opened = (id: string, token: string) =>
    alerts.find((alert) => alert.event === "opened" && alert.typology.id === id && alert.subject.token === token);
  const terror = opened("TF", "k1.TRADER");
  const exploited = opened("HT-SX", "k1.NEXUSHOLDER");
  const nexus = opened("NX-DUAL-03", "k1.TRADER");
  expect(terror?.openedAt && exploited && terror.openedAt < exploited.openedAt).toBe(true);
  expect(nexus?.marks).toMatchObject([{ ruleId: "HT-SX", flow: "downstream", distance: 2 }]);
  expect(opened("NX-DUAL-03", "k1.NEXUSHOLDER")?.victimPossible).toBe(true);
});
