/** The state of an account after some weeks of ordinary movements, for sizes and costs. */
import { HOUR_MS } from "../../src/base/limits.ts";
import type { Pack } from "../../src/rules/plan.ts";
import { isPlain, setCounted } from "../../src/screen/counted.ts";
import { contribute, newMeasureState } from "../../src/screen/measures.ts";
import { newRuleState, newState } from "../../src/screen/new-state.ts";
import { show } from "../../src/screen/shown-keys.ts";
import type { EntityState } from "../../src/screen/state.ts";
import { indexPack, type SubjectIndex } from "../../src/screen/subject-index.ts";
import { typicalTx } from "../domain/typical.ts";

/** `count` movements, one each 11 h and some seconds, with 15 counterparties; every measure of the plan is fed. */
export function typicalState(pack: Pack, count: number, kind: "plain" | "tokens"): EntityState {
  const plan = pack.subjects.account;
  const state = newState(plan);
  const { byKey } = indexPack(pack).get("account") as SubjectIndex;
  const start = Date.UTC(2026, 0, 5, 8);
  for (let n = 0; n < count; n += 1) {
    const time = start + n * 11 * HOUR_MS + ((n * 7_919) % 3_600) * 1_000;
    const tx = typicalTx(kind, 1 + ((n * 7) % 15), time);
    const other = tx.debtor.account ?? "";
    const id = `tx-2026-${String(10_000_000 + n * 1_371)}`;
    const event = {
      time,
      txId: id,
      movementId: id,
      incoming: n % 3 !== 0,
      amount: 1_000 + ((n * 7_919) % 90_000),
      other: `account:${other}`,
      otherOwn: false,
      rail: "transfer" as const,
      purpose: undefined,
      moved: true,
      contentHash: (n * 2_654_435_761) >>> 0,
      open: false,
      reversed: false,
      settledBy: "",
    };
    state.recent.push(n, event);
    for (const [i, measure] of plan.measures.entries()) {
      // The first measures take every movement, the later ones fewer and fewer.
      if (n % (i + 1) !== 0) continue;
      if (measure.adds === "key") {
        show(state, measure, other, byKey);
        continue;
      }
      if (isPlain(measure)) {
        setCounted(state.recent, measure.index, n);
        continue;
      }
      const kept = state.measures.get(i) ?? newMeasureState(measure);
      state.measures = state.measures.set(i, kept);
      contribute(
        kept,
        { ...measure, windowMs: Number.POSITIVE_INFINITY },
        { seq: n, time },
        i === 2 ? 1 : event.amount,
        other,
      );
    }
    state.clock = time;
  }
  state.since = start;
  state.seq = count;
  state.own = true;
  state.counterparties = 15;
  state.rules = state.rules.set(0, {
    ...newRuleState(),
    episodes: [{ start, last: state.clock, txId: "tx-2026-10000000" }],
  });
  return state;
}
