/**
 * Lists: what an operator supplies and rules look values up in. Each has a type that says what its entries
 * are; identifier lists, the only ones that hold persons, need a legal basis.
 */
import { createRates, type Rates, type RatesEntry } from "../domain/money.ts";
import type { Findings } from "./diagnostics.ts";
import type { Domain } from "./expression/types.ts";
import { isProtectedName } from "./fields.ts";
import { asMap, asScalar, checkKeys, checkName, dayAt, type Keys, scalarAt, wordAt } from "./shape.ts";
import type { MapNode, ScalarNode, SourceNode } from "./source.ts";
import { shorten } from "./source.ts";
import { hintFor } from "./suggest.ts";
import { VOCABULARY_DEFAULT, type Vocabulary, wordsOf } from "./vocabulary.ts";

export const LIST_TYPES = [
  "identifier",
  "merchant_class",
  "mcc",
  "country",
  "corridor",
  "institution",
  "memo_class",
  "segment",
  "calendar",
  "registry",
  "rates",
] as const;
export type ListType = (typeof LIST_TYPES)[number];

export const LEGAL_BASES = [
  "un_sanctions",
  "national_sanctions",
  "court_order",
  "law_enforcement_request",
  "internal_case",
] as const;

export interface Corridor {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** Days, half open, epoch ms. */
export interface Period {
  readonly from: number;
  readonly until: number;
}

export interface RuleList {
  readonly id: string;
  readonly type: ListType;
  readonly title: string;
  readonly version: string;
  /** Texts of all types but corridor, calendar and rates; of identifiers `token` or `kind:token`. */
  readonly entries: ReadonlySet<string>;
  readonly corridors: readonly Corridor[];
  readonly periods: readonly Period[];
  /** Some identifier of the list holds for one kind only. */
  readonly byKind: boolean;
  readonly node: MapNode;
}

/** All lists of a pack. */
export interface Lists {
  readonly rates: Rates;
  /** Words that intake accepts and rules may name. */
  readonly vocabulary: Vocabulary;
  get(id: string): RuleList | undefined;
  /** In alphabetical order. */
  readonly ids: readonly string[];
}

/** Domain of the values that may be looked up in a list with `in`; undefined: the list has its own function. */
export const LIST_DOMAINS: Readonly<Record<ListType, Domain | undefined>> = {
  identifier: "id",
  merchant_class: "merchant_class",
  mcc: "mcc",
  country: "country",
  corridor: undefined,
  institution: "institution",
  memo_class: undefined,
  segment: "segment",
  calendar: undefined,
  registry: "id",
  rates: undefined,
};

export const LIST_KEYS: Keys = {
  schema: "required",
  id: "required",
  type: "required",
  title: "required",
  owner: "optional",
  basis: "optional",
  source: "optional",
  version: "required",
  reviewBy: "optional",
  expires: "optional",
  base: "optional",
  entries: "required",
};
const BASE_DEFAULT = "EUR";
const RANGE_MAX = 1_000;
const LIST_ENTRIES_MAX = 100_000;

/** Reads all list files. `asOf` (epoch ms) judges review and expiry; undefined: neither is judged. */
export function readLists(
  roots: readonly MapNode[],
  vocabulary: Vocabulary | undefined,
  asOf: number | undefined,
  findings: Findings,
): Lists {
  const words = vocabulary ?? VOCABULARY_DEFAULT;
  const byId = new Map<string, RuleList>();
  let rates: Rates | undefined;
  for (const root of roots) {
    checkKeys(root, LIST_KEYS, "a list", findings);
    const list = readList(root, words, asOf, findings);
    if (list === undefined) continue;
    if (byId.has(list.id)) {
      findings.add("E041", root.byKey.get("id")?.value ?? root, `the list \`${list.id}\` is in two files`);
      continue;
    }
    byId.set(list.id, list);
    if (list.type !== "rates") continue;
    if (rates !== undefined) findings.add("E041", root, "there can be one list of rates only");
    rates ??= readRates(root, findings);
  }
  return {
    rates: rates ?? createRates(BASE_DEFAULT, []),
    vocabulary: words,
    get: (id) => byId.get(id),
    ids: [...byId.keys()].sort(),
  };
}

function readList(
  root: MapNode,
  words: Vocabulary,
  asOf: number | undefined,
  findings: Findings,
): RuleList | undefined {
  const id = scalarAt(root, "id", findings);
  const type = wordAt(root, "type", LIST_TYPES, findings);
  const title = scalarAt(root, "title", findings);
  const version = scalarAt(root, "version", findings);
  scalarAt(root, "owner", findings);
  scalarAt(root, "source", findings);
  const reviewBy = dayAt(root, "reviewBy", findings);
  const expires = dayAt(root, "expires", findings);
  const basis = wordAt(root, "basis", LEGAL_BASES, findings);
  if (id !== undefined) {
    checkName(id, "a list", findings);
    if (isProtectedName(id.text)) {
      findings.add("E026", id, `a list named \`${shorten(id.text)}\` stands for a protected attribute`);
    }
  }
  if (type === "identifier" && basis === undefined && !root.byKey.has("basis")) {
    const hint = `basis: one of ${LEGAL_BASES.join(", ")}`;
    findings.add("E062", root, "a list of identifiers needs a legal basis", hint);
  }
  if (asOf !== undefined && expires !== undefined && expires <= asOf) {
    findings.add(
      "E063",
      root.byKey.get("expires")?.value ?? root,
      "this list has expired",
      "review it, then set a new day",
    );
  } else if (asOf !== undefined && reviewBy !== undefined && reviewBy <= asOf) {
    findings.add("W103", root.byKey.get("reviewBy")?.value ?? root, "the review of this list is overdue");
  }
  if (id === undefined || type === undefined) return undefined;
  const entries = new Set<string>();
  const corridors: Corridor[] = [];
  const periods: Period[] = [];
  let byKind = false;
  for (const node of type === "rates" ? [] : entryNodes(root, findings)) {
    if (type === "corridor") addDefined(corridors, readCorridor(node, findings));
    else if (type === "calendar") addDefined(periods, readPeriod(node, findings));
    else if (type === "identifier") byKind = readIdentifier(node, entries, findings) || byKind;
    else readEntry(node, type, words, entries, findings);
  }
  return {
    id: id.text,
    type,
    title: title?.text ?? "",
    version: version?.text ?? "",
    entries,
    corridors,
    periods,
    byKind,
    node: root,
  };
}

function entryNodes(root: MapNode, findings: Findings): readonly SourceNode[] {
  const node = root.byKey.get("entries")?.value;
  if (node === undefined) return [];
  if (node.kind !== "seq") {
    findings.add("E012", node, "`entries` must be a list");
    return [];
  }
  if (node.items.length > LIST_ENTRIES_MAX) {
    findings.add("E015", node, `a list has at most ${LIST_ENTRIES_MAX} entries`);
    return [];
  }
  return node.items;
}

function addDefined<T>(out: T[], value: T | undefined): void {
  if (value !== undefined) out.push(value);
}

const ENTRY_FORMS: Readonly<Partial<Record<ListType, readonly [RegExp, string]>>> = {
  country: [/^[A-Z]{2}$/, "an ISO 3166-1 alpha-2 code such as ZZ"],
  memo_class: [/^[a-z][a-z0-9_]*$/, "a class in lower case such as aid"],
  segment: [/^[a-z][a-z0-9_]*$/, "a segment in lower case such as aid_organisation"],
  institution: [/^[^\s]{1,128}$/, "an institution id without blanks"],
  registry: [/^[^\s]{1,128}$/, "an identifier without blanks"],
};

function readEntry(
  node: SourceNode,
  type: ListType,
  words: Vocabulary,
  entries: Set<string>,
  findings: Findings,
): void {
  const scalar = asScalar(node, "an entry", findings);
  if (scalar === undefined) return;
  if (type === "mcc") {
    readMccEntry(scalar, entries, findings);
    return;
  }
  const known = knownWords(type, words);
  if (known !== undefined && !known.has(scalar.text)) {
    const message = `\`${shorten(scalar.text)}\` is no word of the vocabulary`;
    findings.add("E061", scalar, message, hintFor(scalar.text, known));
    return;
  }
  const form = ENTRY_FORMS[type];
  if (form !== undefined && !form[0].test(scalar.text)) {
    findings.add("E061", scalar, `\`${shorten(scalar.text)}\` is not ${form[1]}`);
    return;
  }
  entries.add(scalar.text);
}

/** Lists of segments may hold industries and occupation groups too: all three describe the customer. */
function knownWords(type: ListType, words: Vocabulary): ReadonlySet<string> | undefined {
  if (type === "merchant_class" || type === "memo_class") return wordsOf(words, type);
  if (type !== "segment" || words.segments === undefined) return undefined;
  return new Set([...words.segments, ...(words.industries ?? []), ...(words.occupationGroups ?? [])]);
}

function readMccEntry(scalar: ScalarNode, entries: Set<string>, findings: Findings): void {
  const range = /^(\d{4})(?:-(\d{4}))?$/.exec(scalar.text);
  const first = Number(range?.[1]);
  const last = Number(range?.[2] ?? range?.[1]);
  if (range === null || last < first || last - first > RANGE_MAX) {
    findings.add("E061", scalar, `\`${shorten(scalar.text)}\` is no merchant category`, "4511 or 3501-3999");
    return;
  }
  for (let code = first; code <= last; code++) entries.add(String(code).padStart(4, "0"));
}

/** Adds a token; true when it holds for one kind of identifier only. */
function readIdentifier(node: SourceNode, entries: Set<string>, findings: Findings): boolean {
  if (node.kind !== "map") {
    const scalar = asScalar(node, "an identifier", findings);
    if (scalar !== undefined) entries.add(scalar.text);
    return false;
  }
  checkKeys(node, { token: "required", kind: "optional", note: "optional" }, "an identifier", findings);
  const token = scalarAt(node, "token", findings);
  const kinds = ["account", "party", "card", "wallet", "merchant", "phone", "email", "address", "device", "employer"];
  const kind = wordAt(node, "kind", kinds, findings);
  if (token === undefined) return false;
  entries.add(kind === undefined ? token.text : `${kind}:${token.text}`);
  return kind !== undefined;
}

function readCorridor(node: SourceNode, findings: Findings): Corridor | undefined {
  const map = asMap(node, "a corridor", findings);
  if (map === undefined) return undefined;
  checkKeys(map, { from: "optional", to: "optional" }, "a corridor", findings);
  const from = readCountry(map, "from", findings);
  const to = readCountry(map, "to", findings);
  if (map.entries.length === 0) findings.add("E061", map, "a corridor needs `from`, `to` or both");
  return from === undefined && to === undefined ? undefined : { from, to };
}

function readCountry(map: MapNode, key: string, findings: Findings): string | undefined {
  const node = scalarAt(map, key, findings);
  if (node === undefined) return undefined;
  if (/^[A-Z]{2}$/.test(node.text)) return node.text;
  findings.add("E061", node, `\`${key}\` must be an ISO 3166-1 alpha-2 code such as ZZ`);
  return undefined;
}

function readPeriod(node: SourceNode, findings: Findings): Period | undefined {
  const map = asMap(node, "a period", findings);
  if (map === undefined) return undefined;
  checkKeys(map, { from: "required", to: "required", name: "optional" }, "a period", findings);
  const from = dayAt(map, "from", findings);
  const to = dayAt(map, "to", findings);
  if (from === undefined || to === undefined) return undefined;
  if (to < from) findings.add("E061", map, "a period ends on its first day or later");
  return { from, until: to + 86_400_000 };
}

function readRates(root: MapNode, findings: Findings): Rates {
  const base = scalarAt(root, "base", findings)?.text ?? BASE_DEFAULT;
  if (!attempt(() => createRates(base, []), root.byKey.get("base")?.value ?? root, findings)) {
    return createRates(BASE_DEFAULT, []);
  }
  const good: RatesEntry[] = [];
  for (const node of entryNodes(root, findings)) {
    const map = asMap(node, "an entry of rates", findings);
    if (map === undefined) continue;
    checkKeys(map, { from: "required", rates: "required" }, "an entry of rates", findings);
    const from = scalarAt(map, "from", findings);
    const rates = map.byKey.get("rates")?.value;
    const table = rates && asMap(rates, "`rates`", findings);
    if (from === undefined || table === undefined) continue;
    const pairs: [string, string][] = [];
    for (const { key, value } of table.entries) {
      const rate = asScalar(value, `the rate of ${shorten(key.text)}`, findings);
      if (rate !== undefined) pairs.push([key.text, rate.text]);
    }
    const entry = { from: from.text, rates: Object.fromEntries(pairs) };
    if (attempt(() => createRates(base, [entry]), map, findings)) good.push(entry);
  }
  return createRates(base, good);
}

/** Runs a check that throws RangeError for bad values; the error becomes a finding. */
function attempt(check: () => unknown, node: SourceNode, findings: Findings): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    findings.add("E061", node, error.message);
    return false;
  }
}
