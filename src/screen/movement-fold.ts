/**
 * Folds one movement into an entity's state: what it repeats, reverses or settles, which measures it
 * contributes to, and whom the entity's hits must be told to. Judging comes after.
 */
import { fnv1a32, hash48 } from "../base/hash.ts";
import { AUTHORISATION_MS, LATENESS_COUNTED_MS, RECENT_EVENTS_MAX, SEEN_IDS_MAX, SEEN_IDS_MS } from "../base/limits.ts";
import { type EntityKey, entityKey } from "../domain/entity.ts";
import type { Tx, TxSide } from "../domain/tx.ts";
import type { TxView } from "../domain/view.ts";
import type { Measure } from "../rules/plan.ts";
import type { JudgeContext } from "./context.ts";
import { addedBy, clearCounted, forEachCounting } from "./counted.ts";
import { contributeAll, contributeAllLate, contribution } from "./counting.ts";
import { adjustContribution, evict, measureState, removeContribution } from "./measures.ts";
import { takeSamples } from "./samples.ts";
import { keepKey } from "./shown-keys.ts";
import type { EntityState } from "./state.ts";
import { addToBuckets, dropBuckets } from "./windows.ts";

/** How a view relates to what the entity has counted already. */
export type Repeat = "none" | "duplicate" | "conflict" | "posting";

/**
 * Looks for the same movement in the same direction within 24 h of event time. `posting` is another
 * record of the same movement, such as the other ledger's; a booking and a reversal are known by their own ids.
 */
export function findRepeat(state: EntityState, view: TxView): Repeat {
  const { tx } = view;
  const incoming = view.direction === "in";
  const oldest = tx.time - SEEN_IDS_MS;
  const linked = concernsOther(tx);
  const hash = fnv1a32(tx.id);
  const movementHash = tx.movementId === tx.id ? hash : fnv1a32(tx.movementId);
  const { recent } = state;
  let i = recent.length;
  while (i > 0) {
    i = recent.findById(i - 1, oldest, hash, movementHash);
    if (i < 0) break;
    if (recent.isIncoming(i) !== incoming) continue;
    if (recent.txIdAt(i) === tx.id) return recent.contentHashAt(i) === tx.contentHash ? "duplicate" : "conflict";
    if (!linked && recent.movementIdAt(i) === tx.movementId) return "posting";
  }
  if (state.seen === undefined) return "none";
  const time = state.seen.get(seenHash(linked ? tx.id : tx.movementId, incoming));
  return time !== undefined && time >= oldest ? "duplicate" : "none";
}

/** A booking or a reversal may share the movement id of what it settles or reverses; it is known by its own id. */
export function concernsOther(tx: Tx): boolean {
  return tx.relation?.kind === "settles" || tx.relation?.kind === "reversal";
}

/**
 * Folds a movement. `reversed`: a reversal in the tail takes it out, so only its id is kept.
 * Returns whether it is to be judged.
 */
export function foldMovement(context: JudgeContext, view: TxView, reversed: boolean): boolean {
  const { state } = context;
  const { tx } = view;
  if (context.samplers.length > 0) takeSamples(context, tx.time);
  if (tx.time < state.since) state.since = tx.time;
  if (tx.time > state.clock) state.clock = tx.time;
  expireAuthorisations(context);
  if (tx.relation?.kind === "reversal") {
    subtractOriginal(context, view, tx.relation.of);
    return false;
  }
  if (reversed) {
    remember(context, view, true);
    return false;
  }
  const self = context.self as TxSide;
  if (self.own) {
    state.own = true;
    if (self.ref !== undefined) state.ref = self.ref;
  }
  if (tx.relation?.kind === "settles" && settle(context, view, tx.relation.of)) return true;
  remember(context, view, false);
  rememberAct(context, view);
  contributeAll(context, view);
  return true;
}

/**
 * Takes in a movement that came later than is judged: its bucket counts it, an original before it loses or changes its
 * amount, nothing is judged again. `reversed`: only its id is kept.
 */
export function foldLate(context: JudgeContext, view: TxView, reversed: boolean): void {
  const { state } = context;
  const { tx } = view;
  const incoming = view.direction === "in";
  if (tx.relation?.kind === "reversal") {
    subtractOriginal(context, view, tx.relation.of);
    return;
  }
  if (!reversed && tx.relation?.kind === "settles" && settle(context, view, tx.relation.of)) return;
  rememberSeen(state, seenHash(tx.movementId, incoming), tx.time);
  if (!reversed && !state.tombstones.includes(hash48(tx.id))) contributeAllLate(context, view);
}

/** The entity on the far side, by which marks travel: account, wallet, card, party or merchant; empty for cash. */
export function farEntity(side: TxSide): EntityKey {
  if (side.account !== undefined) return entityKey("account", side.account);
  if (side.wallet !== undefined) return entityKey("wallet", side.wallet);
  if (side.card !== undefined) return entityKey("card", side.card);
  if (side.party !== undefined) return entityKey("party", side.party);
  if (side.merchantId !== undefined) return entityKey("merchant", side.merchantId);
  return "";
}

function remember(context: JudgeContext, view: TxView, reversed: boolean): void {
  const { state } = context;
  const { recent } = state;
  const { tx } = view;
  const other = context.other as TxSide;
  const open = tx.stage === "authorised" && !reversed;
  if (open) state.openAuthorisations++;
  context.currentSeq = state.seq;
  recent.push(state.seq++, {
    time: tx.time,
    txId: tx.id,
    movementId: tx.movementId,
    incoming: view.direction === "in",
    amount: tx.amount ?? Number.NaN,
    other: farEntity(other),
    otherOwn: other.own,
    rail: tx.rail,
    purpose: tx.purpose,
    moved: tx.stage === "booked" || tx.stage === "authorised",
    settledBy: "",
    contentHash: tx.contentHash,
    open,
    reversed,
  });
  const horizon = tx.time - context.pack.horizonMs;
  while (recent.length > RECENT_EVENTS_MAX || (recent.length > 0 && recent.timeAt(0) <= horizon)) {
    forgetOldest(context);
  }
}

/** The act is the initiator's; where nobody says who that is, both sides take it for theirs. */
function rememberAct(context: JudgeContext, view: TxView): void {
  const { state } = context;
  const { actCell, initiator, time } = view.tx;
  const own = view.direction === "in" ? "creditor" : "debtor";
  if (actCell === undefined || (initiator !== undefined && initiator !== own)) return;
  context.priorAct = state.act;
  state.act = { time, cell: actCell };
}

function forgetOldest(context: JudgeContext): void {
  const { state, index } = context;
  const { recent } = state;
  if (recent.isOpen(0)) state.openAuthorisations--;
  forEachCounting(recent, 0, (counting) => keepOldest(context, index.measures[counting] as Measure));
  for (const measure of index.listed) {
    const kept = state.measures.get(measure.index);
    if (kept !== undefined) evict(kept, measure, recent.seqAt(0));
  }
  rememberSeen(state, seenHash(recent.movementIdAt(0), recent.isIncoming(0)), recent.timeAt(0));
  recent.shift();
}

/** What a plain measure still needs of the event that leaves: a share in a bucket, or its key. */
function keepOldest({ state, now }: JudgeContext, measure: Measure): void {
  if (measure.adds === "key") {
    keepKey(state, measure, 0, now);
    return;
  }
  const from = now - measure.windowMs;
  const time = state.recent.timeAt(0);
  if (time <= from) return;
  const { buckets } = measureState(state, measure);
  dropBuckets(buckets, from);
  addToBuckets(buckets, measure.windowMinMs, time, addedBy(state.recent, measure, 0), Math.max(time, now));
}

/** Ids are kept for as long as a late movement still counts. */
function rememberSeen(state: EntityState, hash: number, time: number): void {
  const oldest = state.clock - LATENESS_COUNTED_MS;
  if (time < oldest) return;
  state.seen ??= new Map();
  const { seen } = state;
  for (const [first, seenAt] of seen) {
    if (seen.size < SEEN_IDS_MAX && seenAt >= oldest) break;
    seen.delete(first);
  }
  seen.set(hash, time);
}

function seenHash(movementId: string, incoming: boolean): number {
  return hash48((incoming ? "<" : ">") + movementId);
}

/** A booking takes the place of its authorisation: amount of the booking, time and place of the authorisation. */
function settle(context: JudgeContext, view: TxView, of: string): boolean {
  const { state } = context;
  const { recent } = state;
  const original = recent.findByTx(of, view.direction === "in");
  if (original < 0 || !recent.isOpen(original)) return false;
  const seq = recent.seqAt(original);
  context.currentSeq = seq;
  recent.settle(original, view.tx.id);
  // Of a booking whose amount cannot be told that of its authorisation stays.
  if (view.tx.amount !== undefined) recent.setAmount(original, view.tx.amount);
  state.openAuthorisations--;
  for (const measure of context.index.listed) {
    const kept = state.measures.get(measure.index);
    const value = kept === undefined ? undefined : measure.value?.(context);
    if (kept !== undefined && value !== undefined) adjustContribution(kept, seq, value);
  }
  rememberSeen(state, seenHash(view.tx.id, view.direction === "in"), view.tx.time);
  context.touch();
  return true;
}

/** A reversal of a settled movement: counts and sums lose it; an unknown original is swallowed when it comes. */
function subtractOriginal(context: JudgeContext, view: TxView, of: string): void {
  const { state } = context;
  const { tx } = view;
  const incoming = view.direction === "in";
  const original = state.recent.findByTx(of, incoming);
  if (original >= 0) takeOut(context, original);
  else if (state.seen?.has(seenHash(of, incoming)) || state.seen?.has(seenHash(tx.movementId, incoming))) {
    subtractOldOriginal(context);
  } else {
    const hash = hash48(of);
    if (!state.tombstones.includes(hash)) state.tombstones = [...state.tombstones, hash].slice(-TOMBSTONES_MAX);
  }
  rememberSeen(state, seenHash(tx.id, incoming), tx.time);
}

const TOMBSTONES_MAX = 32;

/**
 * The original was counted but is no longer among the recent events: its buckets lose what the
 * reversal, which carries the same sides and amount, would have contributed at the original's time.
 */
function subtractOldOriginal(context: JudgeContext): void {
  const { tx, direction, state } = context;
  const time = tx?.relation?.time;
  if (tx === undefined || direction === undefined || time === undefined) return;
  for (const measure of context.index.candidates(tx, direction).measures) {
    const kept = state.measures.get(measure.index);
    if (kept === undefined || kept.keys !== undefined) continue;
    const value = contribution(context, measure);
    if (value !== undefined) removeContribution(kept, measure, -1, time, value, measure.key?.(context));
  }
  context.touch();
}

/** Recent event `i` counts in no number any more; the keys that it showed stay. */
function takeOut(context: JudgeContext, i: number): void {
  const { state } = context;
  const { recent } = state;
  if (recent.isReversed(i)) return;
  if (recent.isOpen(i)) state.openAuthorisations--;
  recent.reverse(i);
  for (const { adds, index } of context.index.plain) if (adds !== "key") clearCounted(recent, index, i);
  for (const measure of context.index.listed) {
    const kept = state.measures.get(measure.index);
    if (kept !== undefined) {
      const value = measure.value === undefined ? 1 : recent.amountAt(i);
      removeContribution(kept, measure, recent.seqAt(i), recent.timeAt(i), value);
    }
  }
  context.touch();
}

function expireAuthorisations(context: JudgeContext): void {
  const { state } = context;
  if (state.openAuthorisations === 0) return;
  const oldest = state.clock - AUTHORISATION_MS;
  const { recent } = state;
  for (let i = 0; i < recent.length && recent.timeAt(i) < oldest; i += 1) if (recent.isOpen(i)) takeOut(context, i);
}
