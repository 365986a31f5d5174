/**
 * A view is one fact told to one entity: a movement seen from its side, what is known of it, a hit
 * or a mark that reached it. Views of an entity have a total order that no arrival changes.
 */
import type { Evidence } from "./alert.ts";
import type { EntityKey } from "./entity.ts";
import type { EntityEvent, Profile } from "./profile.ts";
import type { Direction, Tx } from "./tx.ts";
import type { Crime } from "./vocabulary.ts";

interface ViewBase {
  /** The entity that is told. */
  readonly entity: EntityKey;
  /** Where the view stands in event time, epoch ms: its cause's time, never before it. */
  readonly time: number;
  /** Transaction id of the cause; empty for profiles. */
  readonly txId: string;
  /** 0 for a fact from outside, one more for each entity that it came through. */
  readonly hop: number;
  /** The entity that sent a derived view; empty for a fact from outside. */
  readonly source: EntityKey;
  /** Orders views that agree in everything else. */
  readonly index: number;
}

/** A movement, seen from the side of the entity. */
export interface TxView extends ViewBase {
  readonly kind: "tx";
  readonly direction: Direction;
  readonly tx: Tx;
}

export interface ProfileView extends ViewBase {
  readonly kind: "profile";
  readonly profile: Profile;
}

export interface EventView extends ViewBase {
  readonly kind: "event";
  readonly event: EntityEvent;
}

/** How a hit reached an entity: its own, from an account that it holds, or from a member of a link. */
export type HitRelation = "self" | "account" | "member";

/** A named value that a hit carries for the rules that count it: a number in its machine unit, or a text. */
export interface HitAttr {
  readonly name: string;
  readonly value: number | string;
}

/** A hit episode of another entity. `off` takes an earlier one with the same id back. */
export interface HitView extends ViewBase {
  readonly kind: "hit";
  /** Names this telling: rule, the entity that has the hit, episode start and the cause. */
  readonly id: string;
  readonly off: boolean;
  readonly ruleId: string;
  /** The entity that has the hit. */
  readonly root: EntityKey;
  readonly rootOwn: boolean;
  readonly rootRef: string | undefined;
  readonly relation: HitRelation;
  readonly episodeStart: number;
  readonly lastTrue: number;
  readonly crime: Crime;
  /** The rule's role says that self may be a victim or a relative of one. */
  readonly victim: boolean;
  readonly explanation: string;
  readonly evidence: readonly Evidence[];
  /** What the rule emits, as of this telling. */
  readonly attrs: readonly HitAttr[];
}

/** A hit carried along money. Judged at `time`; `about` is the date of the flow that it follows. */
export interface MarkView extends ViewBase {
  readonly kind: "mark";
  readonly id: string;
  readonly off: boolean;
  /** Told by an account to its holder: the account passes it on along the money, the holder does not. */
  readonly held: boolean;
  readonly ruleId: string;
  readonly crime: Crime;
  readonly victim: boolean;
  /** The flagged entity that the mark started from. */
  readonly root: EntityKey;
  /** Alert that raised it, when a typology did. */
  readonly alertId: string | undefined;
  /** downstream: money came from the root; upstream: money went to it. */
  readonly flow: "downstream" | "upstream";
  /** Hops along money from the root, 1 to 3; 0 tells an account of a flagged party to mark its own flows. */
  readonly distance: number;
  /** Start of the root's episode, epoch ms. */
  readonly period: number;
  readonly about: number;
  /** The smaller of the marked and the forwarded amount, base minor units. */
  readonly amount: number;
  /** Transaction followed last. */
  readonly viaTx: string;
}

export type View = TxView | ProfileView | EventView | HitView | MarkView;

const KIND_RANK = { profile: 0, event: 1, tx: 2, hit: 3, mark: 4 } as const;

/** Total order of an entity's views: event time, transaction, hop, source, kind, index; of tellings also their id. */
export function compareViews(a: View, b: View): number {
  if (a.time !== b.time) return a.time - b.time;
  if (a.txId !== b.txId) return a.txId < b.txId ? -1 : 1;
  if (a.hop !== b.hop) return a.hop - b.hop;
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  if (a.kind !== b.kind) return KIND_RANK[a.kind] - KIND_RANK[b.kind];
  if (a.index !== b.index) return a.index - b.index;
  // One cause may bring several tellings of one rule and root, such as marks over two ways of the money.
  const left = tellingId(a);
  const right = tellingId(b);
  return left === right ? 0 : left < right ? -1 : 1;
}

function tellingId(view: View): string {
  return view.kind === "hit" || view.kind === "mark" ? view.id : "";
}
