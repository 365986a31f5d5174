/**
 * Turns the short events of an inline test into `tx/1` movements, so that a test goes the way of real
 * data: through intake, routing and the fold. Everything about a test's world that nobody wrote down is
 * decided here: its first instant, the watched account, its holder.
 */
import { DAY_MS, MINUTE_MS } from "../base/limits.ts";
import { formatTime } from "../domain/time.ts";
import { parseDurationMs } from "../rules/literals.ts";
import type { EventSpec, TestFault } from "./test-spec.ts";

/** A Monday, noon UTC: `at: 0h` of every test. */
export const TEST_START = Date.UTC(2026, 2, 2, 12);
/** The watched account of a test and its holder. */
export const SUBJECT_ACCOUNT = "subject";
export const SUBJECT_PARTY = "subject-party";
const EARTH_RADIUS_KM = 6_371.0088;

/** One movement of a test. `index` is its place in time order, from 1. */
export interface TestEvent {
  readonly index: number;
  readonly time: number;
  readonly txId: string;
  /** In the form of `tx/1`, ready for the decoder. */
  readonly record: Readonly<Record<string, unknown>>;
}

export interface EventDefaults {
  /** By key, such as rail and direction: what an event has where it says nothing else. */
  readonly scope: ReadonlyMap<string, string>;
  /** `lat,lon` for `km_from_home`. */
  readonly homeCell: string | undefined;
}

/** Generates the movements of a test, sorted by time; equal times keep the order of the file. */
export function expandEvents(specs: readonly EventSpec[], defaults: EventDefaults, faults: TestFault[]): TestEvent[] {
  const draft: { time: number; order: number; spec: EventSpec; turn: number }[] = [];
  for (const spec of specs) {
    for (let turn = 0; turn < spec.times; turn++) {
      const time = eventTime(spec, turn, faults);
      draft.push({ time, order: draft.length, spec, turn });
    }
  }
  draft.sort((a, b) => a.time - b.time || a.order - b.order);
  const own = new Set([SUBJECT_ACCOUNT, ...specs.flatMap((spec) => spec.values.get("self") ?? [])]);
  return draft.map(({ time, order, spec, turn }, at) => {
    const index = at + 1;
    const txId = `test-${String(index).padStart(6, "0")}`;
    const read = (key: string): string | undefined => {
      const values = spec.values.get(key);
      return values?.[turn % values.length] ?? defaults.scope.get(key);
    };
    return { index, time, txId, record: movement({ read, time, txId, order, own, defaults, spec, faults }) };
  });
}

/**
 * The profile records of a test's subject, one of the account and one of the party, in force long before
 * the first event; none when the test gives no profile. `opened` and `knownSince` are relative durations.
 */
export function profileRecords(profile: ReadonlyMap<string, string>, faults: TestFault[]): Record<string, unknown>[] {
  if (profile.size === 0) return [];
  const known = clean({
    schema: "party/1",
    validFrom: formatTime(TEST_START - 4_000 * DAY_MS),
    partyType: profile.get("type"),
    segment: profile.get("segment"),
    industry: profile.get("industry"),
    occupationGroup: profile.get("occupationGroup"),
    homeCell: profile.get("homeCell"),
    minor: profile.has("minor") ? profile.get("minor") === "true" : undefined,
    expectedMonthly: profile.has("expectedMonthly") ? money(profile.get("expectedMonthly"), 0, faults) : undefined,
    knownSince: relativeTime(profile.get("knownSince"), faults),
  });
  const account = {
    account: SUBJECT_ACCOUNT,
    product: profile.get("product"),
    opened: relativeTime(profile.get("opened"), faults),
    holders: [{ party: SUBJECT_PARTY, role: "holder" }],
  };
  return [
    { ...known, ...clean(account) },
    { ...known, party: SUBJECT_PARTY },
  ];
}

interface Draft {
  readonly read: (key: string) => string | undefined;
  readonly time: number;
  readonly txId: string;
  readonly order: number;
  readonly own: ReadonlySet<string>;
  readonly defaults: EventDefaults;
  readonly spec: EventSpec;
  readonly faults: TestFault[];
}

function movement(draft: Draft): Record<string, unknown> {
  const { read, time, txId, spec, faults } = draft;
  const rail = read("rail") ?? "transfer";
  const incoming = (read("direction") ?? "out") === "in";
  const paid = money(read("amount"), spec.line, faults);
  const self = selfSide(draft);
  const other = otherSide(draft, rail);
  return clean({
    schema: "tx/1",
    txId,
    occurredAt: formatTime(time),
    timePrecision: read("precision"),
    tz: "UTC",
    stage: read("stage"),
    rail,
    purpose: read("purpose"),
    channel: read("channel"),
    amount: paid.amount,
    currency: paid.currency,
    debtor: incoming ? other : self,
    creditor: incoming ? self : other,
    relation: relationOf(read("relation"), time),
    act: nonEmpty({ country: read("country"), place: read("place"), cell: cellOf(draft) }),
    session: nonEmpty({ device: read("device") }),
    conductor: read("conductor"),
    refs: listOf(read("employee"), (token) => ({ kind: "employee", token })),
    travel: nonEmpty({ nights: whole(read("nights")), travellers: whole(read("travellers")) }),
    memoClasses: listOf(read("memo"), (name) => name),
  });
}

function selfSide(draft: Draft): Record<string, unknown> {
  const { read, faults, spec } = draft;
  const account = read("self") ?? SUBJECT_ACCOUNT;
  const balance = read("balance_after");
  return clean({
    own: read("self_own") === "false" ? undefined : true,
    kind: "account",
    account,
    party: read("self_party") ?? (account === SUBJECT_ACCOUNT ? SUBJECT_PARTY : undefined),
    institution: nonEmpty({ country: read("self_country") }),
    ...(balance === undefined ? {} : balanceOf(balance, spec.line, faults)),
    links: listOf(read("phone"), (token) => ({ kind: "phone", token })),
  });
}

function otherSide(draft: Draft, rail: string): Record<string, unknown> {
  const { read, own, order } = draft;
  const named = read("other");
  const token = named === "new" ? `new-${order + 1}` : (named ?? "counterparty");
  const institution = nonEmpty({ country: read("institution_country") });
  const merchantClass = read("merchant_class");
  const mcc = read("mcc");
  const kind = read("other_kind");
  if (merchantClass !== undefined || mcc !== undefined || kind === "merchant") {
    const merchant = clean({ id: `merchant-${token}`, class: merchantClass, mcc, place: read("place") });
    return clean({ kind: "merchant", merchant, institution });
  }
  const wallet = read("wallet") ?? (kind === "wallet" ? token : undefined);
  if (wallet !== undefined) return clean({ kind: "wallet", wallet, party: read("party"), institution });
  if (kind === "card") return clean({ kind: "card", card: token, party: read("party"), institution });
  if (kind === "person") return clean({ kind: "person", party: token, institution });
  if (rail === "cash" && named === undefined) return clean({ kind: "cash", institution });
  return clean({
    own: (read("other_own") ?? String(own.has(token))) === "true" ? true : undefined,
    kind: "account",
    account: token,
    card: read("card"),
    party: read("party") ?? (token === SUBJECT_ACCOUNT ? SUBJECT_PARTY : undefined),
    institution,
  });
}

function eventTime(spec: EventSpec, turn: number, faults: TestFault[]): number {
  const time = TEST_START + spec.atMs + turn * spec.everyMs;
  const clocks = spec.values.get("local_time");
  const clock = clocks?.[turn % clocks.length];
  if (clock === undefined) return time;
  const found = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(clock);
  if (found === null) {
    faults.push({ line: spec.line, message: `"${clock}" is no clock time such as "23:30"` });
    return time;
  }
  return Math.floor(time / DAY_MS) * DAY_MS + (Number(found[1]) * 60 + Number(found[2])) * MINUTE_MS;
}

/** A cell so far east of home, on the same parallel, that the great circle between the two has the length asked for. */
function cellOf(draft: Draft): string | undefined {
  const { read, defaults, spec, faults } = draft;
  const kilometres = read("km_from_home");
  if (kilometres === undefined) return read("cell");
  const [latitude, longitude] = (defaults.homeCell ?? "").split(",").map(Number);
  const distance = Number(kilometres);
  if (latitude === undefined || longitude === undefined || !(distance >= 0)) {
    faults.push({ line: spec.line, message: "km_from_home needs given.profile.homeCell and a number of kilometres" });
    return undefined;
  }
  const half = Math.sin(distance / (2 * EARTH_RADIUS_KM)) / Math.cos((latitude * Math.PI) / 180);
  const east = longitude + (2 * Math.asin(Math.min(1, half)) * 180) / Math.PI;
  return `${latitude},${east.toFixed(6)}`;
}

function money(text: string | undefined, line: number, faults: TestFault[]): { amount: string; currency: string } {
  const found = /^(\d+(?:\.\d+)?) ?([A-Z0-9]{3,5})$/.exec(text ?? "100 EUR");
  if (found === null) faults.push({ line, message: `"${text}" is no amount such as 900 EUR` });
  return { amount: found?.[1] ?? "0", currency: found?.[2] ?? "EUR" };
}

function balanceOf(text: string, line: number, faults: TestFault[]): { balanceAfter: string; currency: string } {
  const { amount, currency } = money(text, line, faults);
  return { balanceAfter: amount, currency };
}

function relationOf(kind: string | undefined, time: number): Record<string, unknown> | undefined {
  return kind === undefined ? undefined : { kind, of: "earlier", occurredAt: formatTime(time - DAY_MS) };
}

function relativeTime(text: string | undefined, faults: TestFault[]): string | undefined {
  if (text === undefined) return undefined;
  const ms = parseDurationMs(text);
  if (ms === undefined) faults.push({ line: 0, message: `"${text}" is no duration such as -400d` });
  return formatTime(TEST_START + (ms ?? 0));
}

function whole(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function listOf<T>(text: string | undefined, make: (text: string) => T): T[] | undefined {
  return text === undefined ? undefined : [make(text)];
}

function nonEmpty(record: Record<string, unknown>): Record<string, unknown> | undefined {
  const cleaned = clean(record);
  return Object.keys(cleaned).length === 0 ? undefined : cleaned;
}

function clean(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
