/**
 * Two packs over the same recorded data, side by side: which alerts come, go or change, and which clause tips the
 * balance. What is kept of an alert is a few words, so that data may be long.
 */
import { fnv1a32 } from "../base/hash.ts";
import type { Alert } from "../domain/alert.ts";
import { type EntityKey, entityKey } from "../domain/entity.ts";
import type { EventView, View } from "../domain/view.ts";
import type { Severity } from "../domain/vocabulary.ts";
import type { Decoded } from "../intake/decode.ts";
import { routeTx } from "../intake/route.ts";
import type { Pack } from "../rules/plan.ts";
import { createEmbedded, type Embedded } from "../screen/embedded.ts";
import { settledForm } from "../screen/settled.ts";
import { falseLeaves } from "./clause-report.ts";
import { createInspector, type Inspector } from "./inspect.ts";

/** An alert in few words. */
export interface AlertDigest {
  readonly alertId: string;
  readonly typology: string;
  readonly severity: Severity;
  readonly score: number;
  readonly families: readonly string[];
  readonly subject: { readonly kind: string; readonly token: string };
  readonly openedAt: string;
}

export interface AlertChange {
  readonly change: "added" | "removed" | "changed";
  readonly before: AlertDigest | undefined;
  readonly after: AlertDigest | undefined;
  readonly segment: string;
  /** Clauses that hold on one side only, such as `HT-FUNNEL-02 people: 3 of 4`; empty where none was seen. */
  readonly flipped: readonly string[];
}

export interface PackDiff {
  readonly same: number;
  readonly changes: readonly AlertChange[];
}

/** A comparison that is fed row by row. */
export interface PackComparison {
  take(decoded: Decoded): void;
  result(): PackDiff;
}

/** Starts with two empty pipelines, one a pack. */
export function comparePacks(before: Pack, after: Pack): PackComparison {
  const left = createSide(before);
  const right = createSide(after);
  const sides = [left, right] as const;
  return {
    take(decoded) {
      if (decoded.kind === "profile") for (const { embedded } of sides) embedded.pushProfile(decoded.profile);
      else if (decoded.kind === "event") for (const { embedded } of sides) embedded.pushEvent(decoded.event);
      else if (decoded.kind === "tx") {
        const views = routeTx(decoded.tx);
        for (const side of sides) {
          side.hits.clear();
          side.opened.clear();
          side.inspector.before(views);
          side.embedded.pushTx(decoded.tx);
        }
        noteFlips(left, right, views, decoded.tx.time);
        noteFlips(right, left, views, decoded.tx.time);
      }
    },
    result: () => differences(left, right),
  };
}

/** Most clauses remembered a side: an alert rests on hits of the last weeks. */
const FLIPS_MAX = 100_000;

interface Side {
  readonly embedded: Embedded;
  readonly inspector: Inspector;
  /** Last standing of each alert; what bears it as a hash. */
  readonly alerts: Map<string, { readonly digest: AlertDigest; readonly content: number; readonly basis: string[] }>;
  /** Opened by the movement that was just taken: `rule|entity`, and ids of alerts. */
  readonly hits: Set<string>;
  readonly opened: Set<string>;
  /** Clauses that keep this side from a hit or alert which the other side has. */
  readonly flips: Map<string, readonly string[]>;
}

function createSide(pack: Pack): Side {
  const alerts: Side["alerts"] = new Map();
  const hits = new Set<string>();
  const opened = new Set<string>();
  const embedded = createEmbedded(pack, {
    alert(alert) {
      if (alert.event === "withdrawn") alerts.delete(alert.alertId);
      else alerts.set(alert.alertId, { digest: digestOf(alert), content: contentOf(alert), basis: basisOf(alert) });
      if (alert.event === "opened") opened.add(alert.alertId);
    },
    hit(hit) {
      if (hit.event === "opened") hits.add(`${hit.ruleId}|${hit.entity}`);
    },
    verdict() {},
  });
  return { embedded, inspector: createInspector(embedded), alerts, hits, opened, flips: new Map() };
}

/** What keeps `here` from the hits and alerts that this movement opened `there`. */
function noteFlips(there: Side, here: Side, views: readonly View[], time: number): void {
  const look = (key: string, ruleId: string, entity: EntityKey): void => {
    const view = views.find((one) => one.entity === entity) ?? momentOf(entity, time);
    const report = here.inspector.inspect(view).find((one) => one.ruleId === ruleId);
    const leaves = report?.trees.flatMap(({ clause }) => falseLeaves(clause)) ?? [];
    const reasons = report === undefined ? ["is not in force"] : report.reason === undefined ? leaves : [report.reason];
    if (here.flips.size >= FLIPS_MAX) here.flips.clear();
    here.flips.set(
      key,
      reasons.map((reason) => `${ruleId} ${reason}`),
    );
  };
  for (const key of there.hits) {
    if (here.hits.has(key)) continue;
    const bar = key.indexOf("|");
    look(key, key.slice(0, bar), key.slice(bar + 1));
  }
  for (const id of there.opened) {
    const digest = there.alerts.get(id)?.digest;
    if (digest === undefined || here.alerts.has(id)) continue;
    look(id, digest.typology, entityKey(digest.subject.kind as never, digest.subject.token));
  }
}

function differences(left: Side, right: Side): PackDiff {
  const changes: AlertChange[] = [];
  let same = 0;
  for (const id of [...new Set([...left.alerts.keys(), ...right.alerts.keys()])].sort()) {
    const before = left.alerts.get(id);
    const after = right.alerts.get(id);
    if (before !== undefined && after !== undefined && before.content === after.content) {
      same += 1;
      continue;
    }
    const change = before === undefined ? "added" : after === undefined ? "removed" : "changed";
    const digest = (after ?? before)?.digest as AlertDigest;
    changes.push({
      change,
      before: before?.digest,
      after: after?.digest,
      segment: segmentOf(after === undefined ? left : right, digest),
      flipped: flippedFor(id, before?.basis ?? [], after?.basis ?? [], left, right),
    });
  }
  return { same, changes };
}

/** Clauses behind red flags that only one side has; the condition of the alert itself where no flag differs. */
function flippedFor(
  id: string,
  before: readonly string[],
  after: readonly string[],
  left: Side,
  right: Side,
): readonly string[] {
  const gone = before.filter((key) => !after.includes(key)).flatMap((key) => right.flips.get(key) ?? []);
  const come = after.filter((key) => !before.includes(key)).flatMap((key) => left.flips.get(key) ?? []);
  const own = [...(left.flips.get(id) ?? []), ...(right.flips.get(id) ?? [])];
  const found = gone.length + come.length > 0 ? [...gone, ...come] : own;
  return [...new Set(found)].sort();
}

function segmentOf(side: Side, digest: AlertDigest): string {
  const entity = entityKey(digest.subject.kind as never, digest.subject.token);
  return side.embedded.entity(entity)?.work.profiles.at(-1)?.segment ?? "not known";
}

function digestOf(alert: Alert): AlertDigest {
  const { alertId, typology, severity, score, why, subject, openedAt } = alert;
  const families = why.families.map(({ name }) => name);
  const { kind, token } = subject;
  return { alertId, typology: typology.id, severity, score, families, subject: { kind, token }, openedAt };
}

/** What an analyst would see change; hash and versions of the rules are no change. */
function contentOf(alert: Alert): number {
  const settled = settledForm(alert);
  const indicators = settled.indicators.map((one) => ({ ...one, version: 0 }));
  return fnv1a32(JSON.stringify({ ...settled, packHash: "", typology: settled.typology.id, indicators }));
}

function basisOf(alert: Alert): string[] {
  return alert.indicators.map(({ ruleId, source }) => `${ruleId}|${entityKey(source.kind, source.token)}`);
}

function momentOf(entity: EntityKey, time: number): EventView {
  const event = { id: "", entity, type: "tick" as const, time, device: undefined, country: undefined };
  return { kind: "event", entity, time, txId: "", hop: 0, source: "", index: 0, event };
}
