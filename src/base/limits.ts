/**
 * Every cap in one place, with its reason. Relations between them are asserted when the module loads.
 */
import { assert } from "./assert.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** L: a movement at most this much older than its entity's newest is judged as if in order. */
export const LATENESS_JUDGED_MS = HOUR_MS;
/** Later than L but within this: counted, not judged. Beyond: rejected as TOO_LATE. */
export const LATENESS_COUNTED_MS = 48 * HOUR_MS;
/** The tail keeps 2 L: a reversal of an event L older may itself arrive L late. */
export const TAIL_MS = 2 * LATENESS_JUDGED_MS;
/** Most events in a tail; the oldest settles early and is counted when it overflows. */
export const TAIL_EVENTS_MAX = 256;
/** Events an entity remembers one by one; windows inside them are exact. */
export const RECENT_EVENTS_MAX = 256;
/** An event time later than the reference by more than this is rejected (one bad clock would expire a history). */
export const FUTURE_SKEW_MS = 5 * MINUTE_MS;

/** Ids beyond the recent events, kept as 48-bit hashes for the duplicate check: 12 KiB of a 32 KiB value. */
export const SEEN_IDS_MAX = 2_048;
/** A repeated id counts once within this event time. */
export const SEEN_IDS_MS = 24 * HOUR_MS;
/** An authorisation that nobody settled stops counting after this. */
export const AUTHORISATION_MS = 7 * DAY_MS;

/** The oldest bucket of a window may count at most 1/48 of the window too much. */
export const BUCKETS_PER_WINDOW = 48;
/** A counterparty first seen this soon after the entity itself may be an old one: unknown, not new. */
export const FIRST_SEEN_WARM_MS = 14 * DAY_MS;
/** The longest window a rule may ask for. */
export const WINDOW_MAX_MS = 180 * DAY_MS;

/** Marks: hops along money, roots kept per entity, counterparties that a mark is passed on to. */
export const MARK_HOPS_MAX = 3;
/**
 * Times that told views may follow from each other after a movement: a hit told to holders, theirs to links, an alert's
 * mark to accounts, three hops along money, to a holder, and what he tells. Without a bound two entities that are told
 * of each other can keep each other's tellings alive for ever, each withdrawal a step behind what it withdraws.
 */
export const DERIVED_HOPS_MAX = 7;
export const MARK_ROOTS_MAX = 16;
export const MARK_FANOUT_MAX = 32;
/** An entity that marks of so many roots have reached within the look-back passes none on. */
export const MARK_ROOTS_PASSED_MAX = 8;
/** An entity with more counterparties than this is a hub: it keeps marks and does not pass them on. */
export const HUB_COUNTERPARTIES = 200;
/** A flagged entity marks its flows of this look-back. */
export const MARK_LOOKBACK_MS = 30 * DAY_MS;

/** Hit episodes that an entity holds, its own and those it was told of. */
export const EPISODES_PER_RULE_MAX = 16;
export const RECEIVED_HITS_MAX = 64;
/** A running episode tells its holders and links that it goes on at most this often. */
export const PROLONG_EVERY_MS = DAY_MS;
/** An alert's episode ends after this at the latest; the next one is linked. */
export const ALERT_EPISODE_MAX_MS = 90 * DAY_MS;
/** An alert names those of its subject whose last evidence is no older. */
export const ALERT_LINK_MS = 90 * DAY_MS;
/** After a hit whose role may be a victim or a relative. */
export const VICTIM_POSSIBLE_MS = 180 * DAY_MS;

/** Transactions that an alert lists for one number: first, last, largest and those that crossed the line. */
export const EVIDENCE_LISTED_MAX = 200;
/** The same where a hit travels to a holder or along a link, so that a state value stays small. */
export const EVIDENCE_CARRIED_MAX = 24;
/** Subtotals of one number; where there would be more by day, neighbours are joined. */
export const LEDGER_ROWS_MAX = 32;
/** Bytes of one alert as JSON. One that would be larger drops the evidence of its oldest indicators. */
export const ALERT_BYTES_MAX = 256 * 1_024;

/** One line or message; a longer one is rejected as TOO_LARGE. */
export const RECORD_BYTES_MAX = 1 << 20;
/** Minor units of one amount: sums of a million of them stay exact in a double (2^53). */
export const AMOUNT_MINOR_MAX = 1_000_000_000_000_000;
/** Distinct sets: default and greatest cap. Thresholds of the field are 3 to 20. */
export const DISTINCT_CAP_DEFAULT = 64;
export const DISTINCT_CAP_MAX = 256;

assert(TAIL_MS >= 2 * LATENESS_JUDGED_MS, "a reversal and its original can both be taken out of the tail");
assert(LATENESS_COUNTED_MS > LATENESS_JUDGED_MS, "what is judged is also counted");
assert(RECENT_EVENTS_MAX >= TAIL_EVENTS_MAX, "the tail's events are among the recent ones");
assert(MARK_ROOTS_PASSED_MAX <= MARK_ROOTS_MAX, "crowded is known from the roots that are kept");
assert(MARK_LOOKBACK_MS < WINDOW_MAX_MS, "marked flows are still known");
