/** Builders for tests of the rule language: packs from a few lines, and contexts with what a rule may read. */
import type { Profile } from "../../src/domain/profile.ts";
import type { Tx, TxSide } from "../../src/domain/tx.ts";
import { type Loaded, type LoadOptions, loadPack, type SourceFile } from "../../src/rules/load.ts";
import type { Clause, CompiledRule, Context, Leaf, Pack } from "../../src/rules/plan.ts";

export const LISTS: readonly SourceFile[] = [
  list("mcc_air", "mcc", "[4511, 3000-3002]"),
  list("mcc_charity", "mcc", "[8398, 8661]"),
  list("countries", "country", "[XA, XB]"),
  list("corridors", "corridor", "[{ from: AA, to: ZZ }, { to: XZ }]"),
  list("ads", "merchant_class", "[ads_classified]"),
  list("pleas", "memo_class", "[urgent_help]"),
  list("aid", "segment", "[aid_worker]"),
  list("appeals", "calendar", "[{ from: 2026-03-01, to: 2026-03-31 }]"),
  list("listed", "identifier", "[k1.BAD, { token: k1.PHONE, kind: phone }]", "basis: un_sanctions\n"),
];

function list(id: string, type: string, entries: string, more = ""): SourceFile {
  const text = `schema: list/v1\nid: ${id}\ntype: ${type}\n${more}title: sample\nversion: 1\nentries: ${entries}\n`;
  return { path: `rules/lists/${id}.yaml`, text };
}

/** An indicator of that id; `body` holds everything after the head. */
export function indicator(id: string, body: string, head: Record<string, string> = {}): SourceFile {
  const keys = {
    schema: "rule/v1",
    kind: "indicator",
    id,
    version: "1",
    title: "A pattern",
    crime: "human_trafficking",
    status: "active",
    sources: "[{ doc: FIN-2020-A008, point: x }]",
    cautions: "[ordinary savers]",
    ...head,
  };
  const lines = Object.entries(keys).map(([key, value]) => `${key}: ${value}`);
  return { path: `rules/ht/${id}.yaml`, text: `${lines.join("\n")}\n${body}` };
}

/** A typology of that id. */
export function typology(id: string, body: string, head: Record<string, string> = {}): SourceFile {
  return indicator(id, body, { kind: "typology", severity: "{ medium: 20 }", ...head });
}

/** Loads files together with the sample lists. */
export function load(files: readonly SourceFile[], options: LoadOptions = {}): Loaded {
  return loadPack([...LISTS, ...files], options);
}

/** Loads files that must be sound. */
export function packOf(files: readonly SourceFile[], options: LoadOptions = {}): Pack {
  const { pack, diagnostics } = load(files, options);
  const errors = diagnostics.filter((d) => d.severity === "error");
  if (pack === undefined) throw new Error(errors.map((d) => `${d.file}:${d.line}:${d.column} ${d.message}`).join("\n"));
  return pack;
}

/** Errors as `code line:column message`, warnings left out. */
export function errorsOf(files: readonly SourceFile[], options: LoadOptions = {}): string[] {
  const errors = load(files, options).diagnostics.filter((d) => d.severity === "error");
  return errors.map((d) => `${d.code} ${d.line}:${d.column} ${d.message}`);
}

/** The leaf of that expression, in a rule with a second clause that keeps it from being too weak. */
export function leafOf(expression: string, more = "", head: Record<string, string> = {}): Leaf {
  const pack = packOf([
    indicator(
      "HT-X-01",
      `${more}when: { all: [ { it: ${JSON.stringify(expression)} }, { solid: tx.amount > 1 EUR } ] }\n`,
      head,
    ),
  ]);
  return firstLeaf(pack.rules[0]?.when);
}

/** The first leaf of a tree. */
export function firstLeaf(clause: Clause | undefined): Leaf {
  if (clause === undefined) throw new Error("no clause");
  return clause.kind === "leaf" ? clause : firstLeaf(clause.children[0]);
}

export function ruleOf(pack: Pack, id: string): CompiledRule {
  const rule = pack.rules.find((candidate) => candidate.id === id);
  if (rule === undefined) throw new Error(`no rule ${id}`);
  return rule;
}

export const SIDE: TxSide = {
  own: false,
  kind: "account",
  account: undefined,
  party: undefined,
  card: undefined,
  wallet: undefined,
  partyType: "unknown",
  merchantId: undefined,
  mcc: undefined,
  merchantClass: undefined,
  merchantCountry: undefined,
  merchantPlace: undefined,
  merchantOpens: undefined,
  institutionId: undefined,
  institutionCountry: undefined,
  institutionType: undefined,
  balanceAfter: undefined,
  links: [],
  ref: undefined,
};

export const TX: Tx = {
  id: "t1",
  movementId: "t1",
  time: Date.UTC(2026, 2, 10, 12),
  localMinute: -1,
  localDay: 20_522,
  stage: "booked",
  rail: "transfer",
  purpose: undefined,
  channel: undefined,
  amountMinor: 10_000,
  currency: "EUR",
  amount: 10_000,
  debtor: SIDE,
  creditor: SIDE,
  ultimateDebtor: undefined,
  ultimateCreditor: undefined,
  books: "both",
  relation: undefined,
  initiator: undefined,
  actCountry: undefined,
  actPlace: undefined,
  actCell: undefined,
  actSite: undefined,
  whiteLabelAtm: undefined,
  device: undefined,
  ipCountry: undefined,
  ipCell: undefined,
  conductor: undefined,
  refs: [],
  travelTo: undefined,
  travelNights: undefined,
  travellers: undefined,
  memoClasses: [],
  corridorFrom: undefined,
  corridorTo: undefined,
  contentHash: 0,
};

export const PROFILE: Profile = {
  entity: "account:a",
  validFrom: 0,
  partyType: undefined,
  segment: undefined,
  industry: undefined,
  occupationGroup: undefined,
  homeCell: undefined,
  tz: undefined,
  minor: undefined,
  expectedMonthly: undefined,
  links: [],
  knownSince: undefined,
  product: undefined,
  currency: undefined,
  opened: undefined,
  holders: [],
  cards: [],
};

/** A context in which everything that is not given is unknown. */
export function context(given: Partial<Context> = {}): Context {
  const tx = given.tx;
  return {
    view: undefined as never,
    entity: "account:a",
    now: tx?.time ?? TX.time,
    tx: undefined,
    self: undefined,
    other: undefined,
    direction: undefined,
    profile: undefined,
    agg: () => undefined,
    base: () => undefined,
    aggHas: () => undefined,
    hits: () => 0,
    hitAttr: () => undefined,
    knownFor: () => undefined,
    flowTime: () => undefined,
    past: undefined,
    priorAct: undefined,
    score: 0,
    familyCount: () => 0,
    hasFamily: () => false,
    ...given,
  };
}
