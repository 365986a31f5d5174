/** One of the newest movements of an entity, and the number that its traits stand in. */
import { assert } from "../base/assert.ts";
import { PURPOSES, type Purpose, RAILS, type Rail } from "../domain/tx.ts";
import type { PastEvent } from "../rules/plan.ts";

/** One of the newest movements, at most RECENT_EVENTS_MAX of an entity. */
export interface RecentEvent extends PastEvent {
  readonly txId: string;
  readonly movementId: string;
  /** The far side is held at this institution too. */
  readonly otherOwn: boolean;
  /** Booked or authorised: money that moved or is held. */
  readonly moved: boolean;
  readonly contentHash: number;
  /** An authorisation that nothing has settled yet. */
  readonly open: boolean;
  /** Taken out by a reversal: contributions are gone, the id stays known. */
  readonly reversed: boolean;
  /** Id of the booking that settled this authorisation; empty when none did. */
  readonly settledBy: string;
}

// Traits of an event: five flags, the number of the rail, and that of the purpose from 1 on.
export const INCOMING = 1;
export const OTHER_OWN = 2;
export const MOVED = 4;
export const OPEN = 8;
export const REVERSED = 16;
const RAIL_SHIFT = 5;
const PURPOSE_SHIFT = 9;
assert(RAILS.length <= 1 << (PURPOSE_SHIFT - RAIL_SHIFT), "the number of a rail fits into its bits");

/** What flags, rail and purpose tell of an event, in one number. */
export function traitsOf(event: RecentEvent): number {
  const { incoming, otherOwn, moved, open, reversed, rail, purpose } = event;
  const flags =
    (incoming ? INCOMING : 0) |
    (otherOwn ? OTHER_OWN : 0) |
    (moved ? MOVED : 0) |
    (open ? OPEN : 0) |
    (reversed ? REVERSED : 0);
  const railNumber = RAIL_NUMBERS.get(rail) as number;
  const purposeNumber = purpose === undefined ? 0 : (PURPOSE_NUMBERS.get(purpose) as number);
  return flags | (railNumber << RAIL_SHIFT) | (purposeNumber << PURPOSE_SHIFT);
}

const RAIL_NUMBERS: ReadonlyMap<Rail, number> = new Map(RAILS.map((rail, i) => [rail, i]));
const PURPOSE_NUMBERS: ReadonlyMap<Purpose, number> = new Map(PURPOSES.map((purpose, i) => [purpose, i + 1]));

export function railIn(traits: number): Rail {
  return RAILS[(traits >>> RAIL_SHIFT) & 15] as Rail; // `traitsOf` put it there.
}

export function purposeIn(traits: number): Purpose | undefined {
  return PURPOSES[(traits >>> PURPOSE_SHIFT) - 1];
}
