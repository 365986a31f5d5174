/**
 * The hot loop of a replay: takes decoded rows in time order, screens them in memory and hands what comes
 * out to a sink. Synchronous throughout; bounds of the period and the verdict on each row are applied here.
 */
import type { Reject } from "../base/errors.ts";
import { LATENESS_COUNTED_MS } from "../base/limits.ts";
import type { Alert } from "../domain/alert.ts";
import type { Tx } from "../domain/tx.ts";
import type { Item } from "../files/merge.ts";
import { routeTx } from "../intake/route.ts";
import type { Pack } from "../rules/plan.ts";
import type { Embedded } from "../screen/embedded.ts";
import { createEmbedded } from "../screen/embedded.ts";
import type { HitRecord, Verdict } from "../screen/outputs.ts";
import { refusalOf } from "../screen/refusals.ts";
import { createInspector, type Inspector } from "../workshop/inspect.ts";
import { traceLines } from "../workshop/trace.ts";
import type { Tally } from "./tally.ts";
import { graver, tallyAlert, tallyHit, tallyReject, tallyVerdict } from "./tally.ts";

/** A row that was not screened, as `--rejects` writes it. */
export interface RejectedRow extends Reject {
  readonly schema: "reject/1";
  readonly file: string;
  readonly line: number;
}

/** Where results go, in the order in which they arise. */
export interface Sink {
  alert(alert: Alert): void;
  hit(hit: HitRecord): void;
  reject(row: RejectedRow): void;
  /** Lines of the trace, for each movement; undefined: none is wanted. */
  readonly trace?: ((line: string) => void) | undefined;
}

export interface Bounds {
  /** Alerts and hits begin here, epoch ms; -Infinity when not bounded. */
  readonly from: number;
  /** And end before this; Infinity when not bounded. */
  readonly to: number;
  /** Rows before `from` are not read into the windows either. */
  readonly cold: boolean;
  /** Transactions to screen at most. */
  readonly limit: number;
}

export interface Screening {
  /** Screens one row; false when no later row can matter, so that reading may stop. */
  take(item: Item): boolean;
  readonly entities: number;
  /** Judgements that could not be made, by rule. */
  readonly unknown: ReadonlyMap<string, number>;
}

/** A screening with empty state. Counts go to `tally`, results to `sink`. */
export function createScreening(pack: Pack, tally: Tally, sink: Sink, bounds: Bounds): Screening {
  // Rows before the period warm up in silence: what they cause is neither written nor counted.
  let silent = false;
  let current: Tx | undefined;
  let verdict: Verdict = "judged";
  const embedded = createEmbedded(pack, {
    alert(alert) {
      if (silent) return;
      tallyAlert(tally, alert);
      sink.alert(alert);
    },
    hit(hit) {
      if (silent) return;
      tallyHit(tally, hit);
      sink.hit(hit);
    },
    verdict(view, viewVerdict) {
      if (viewVerdict !== "judged" && view.kind === "tx" && view.tx === current) verdict = graver(verdict, viewVerdict);
    },
  });
  const inspector = sink.trace === undefined ? undefined : createInspector(embedded);
  const reject = (item: Item, reason: Reject): void => {
    tallyReject(tally, reason.code);
    sink.reject({ schema: "reject/1", file: item.file, line: item.line, ...reason });
  };
  const takeTx = (item: Item, tx: Tx): boolean => {
    if (tx.time >= bounds.to || (bounds.cold && tx.time < bounds.from)) {
      tally.outside += 1;
      return tx.time < bounds.to + LATENESS_COUNTED_MS;
    }
    silent = tx.time < bounds.from;
    current = tx;
    verdict = "judged";
    if (inspector !== undefined && !silent) pushTraced(embedded, inspector, sink, tx);
    else embedded.pushTx(tx);
    tally.screened += 1;
    if (!(tally.firstTime <= tx.time)) tally.firstTime = tx.time;
    if (!(tally.lastTime >= tx.time)) tally.lastTime = tx.time;
    if (verdict !== "judged") {
      const reason = refusalOf(tx, verdict);
      if (reason === undefined) tallyVerdict(tally, verdict);
      else reject(item, reason);
    }
    return tally.screened < bounds.limit;
  };
  return {
    take(item) {
      tally.rows += 1;
      const { decoded } = item;
      if (decoded.kind === "tx") return takeTx(item, decoded.tx);
      if (decoded.kind === "reject") reject(item, decoded.reject);
      else {
        silent = (decoded.kind === "profile" ? decoded.profile.validFrom : decoded.event.time) < bounds.from;
        takeOther(embedded, tally, bounds, decoded);
      }
      return true;
    },
    get entities() {
      return embedded.entities;
    },
    get unknown() {
      const { rules } = embedded.engine.pack;
      const counts = rules.map((rule) => [rule.id, embedded.engine.unknown[rule.slot] ?? 0] as const);
      return new Map(counts.filter(([, count]) => count > 0));
    },
  };
}

function pushTraced(embedded: Embedded, inspector: Inspector, sink: Sink, tx: Tx): void {
  const views = routeTx(tx);
  inspector.before(views);
  embedded.pushTx(tx);
  for (const line of traceLines(inspector, views)) sink.trace?.(line);
}

type Other = Exclude<Item["decoded"], { readonly kind: "tx" | "reject" }>;

/** Profiles hold whatever the period, since they are knowledge and no activity; events follow its bounds. */
function takeOther(embedded: Embedded, tally: Tally, bounds: Bounds, decoded: Other): void {
  if (decoded.kind === "profile") {
    tally.profiles += 1;
    embedded.pushProfile(decoded.profile);
    return;
  }
  const { time } = decoded.event;
  if (time >= bounds.to || (bounds.cold && time < bounds.from)) tally.outside += 1;
  else {
    tally.events += 1;
    embedded.pushEvent(decoded.event);
  }
}
