/**
 * The shape of a rule file: every key is checked and every fault told, and what is sound comes out as plain
 * records that still know where each text stands. Expressions are not read here.
 */
import { ENTITY_KINDS, type EntityKind } from "../domain/entity.ts";
import {
  ALERT_CLASSES,
  type AlertClass,
  CRIMES,
  type Crime,
  PARTY_ROLES,
  type PartyRole,
  RULE_STATUSES,
  type RuleStatus,
} from "../domain/vocabulary.ts";
import type { Findings } from "./diagnostics.ts";
import { type AggregateSource, readAggregates } from "./schema-aggregates.ts";
import { type ApprovalSource, type ExceptionSource, readApproval, readExceptions } from "./schema-approval.ts";
import { type BaseSource, type PeerSource, readBase, readPeer } from "./schema-baselines.ts";
import { type ClauseSource, type FlowSource, readClause, readFlow } from "./schema-clauses.ts";
import {
  type HitSource,
  type NamedExpression,
  type ParamSource,
  readEmit,
  readFilters,
  readHits,
  readParams,
  readScope,
  type ScopeSource,
} from "./schema-parts.ts";
import {
  asItems,
  asMap,
  asScalar,
  checkKeys,
  durationAt,
  integerAt,
  type Keys,
  scalarAt,
  single,
  wordAt,
  wordsAt,
} from "./shape.ts";
import type { MapNode, ScalarNode, SourceNode } from "./source.ts";
import { shorten } from "./source.ts";

export interface CitationSource {
  readonly doc: ScalarNode;
  readonly point: ScalarNode;
}

export interface ScoredSource {
  readonly name: ScalarNode;
  readonly family: ScalarNode | undefined;
  readonly points: ScalarNode | undefined;
  readonly when: ScalarNode | undefined;
}

export interface TypologySource {
  readonly indicators: readonly ScoredSource[];
  readonly familyCap: number | undefined;
  readonly reductions: readonly ScoredSource[];
  readonly alertWhen: ClauseSource | undefined;
  readonly bands: readonly { readonly severity: "medium" | "high" | "critical"; readonly score: number }[];
  readonly alertClass: AlertClass;
  readonly sla: { readonly class: string; readonly withinMs: number } | undefined;
  readonly supersedes: readonly ScalarNode[];
  readonly alone: ScalarNode | undefined;
}

export interface RuleSource {
  readonly root: MapNode;
  readonly kind: "indicator" | "typology";
  readonly id: ScalarNode;
  readonly version: number;
  readonly title: ScalarNode | undefined;
  readonly crime: Crime;
  readonly status: RuleStatus;
  readonly approval: ApprovalSource;
  readonly sources: readonly CitationSource[];
  readonly subject: EntityKind;
  readonly selfMayBe: readonly PartyRole[];
  readonly otherMayBe: readonly PartyRole[];
  readonly scope: ScopeSource | undefined;
  readonly params: ReadonlyMap<string, ParamSource>;
  readonly filters: ReadonlyMap<string, NamedExpression>;
  readonly aggregates: ReadonlyMap<string, AggregateSource>;
  readonly base: ReadonlyMap<string, BaseSource>;
  readonly peer: ReadonlyMap<string, PeerSource>;
  readonly hits: ReadonlyMap<string, HitSource>;
  readonly emit: ReadonlyMap<string, NamedExpression>;
  readonly flow: FlowSource | undefined;
  readonly when: ClauseSource | undefined;
  readonly exceptions: ReadonlyMap<string, ExceptionSource>;
  readonly explain: ScalarNode | undefined;
  readonly cautions: readonly ScalarNode[];
  readonly suppressForMs: number;
  readonly minHistoryMs: number;
  readonly typology: TypologySource | undefined;
}

const SHARED_KEYS: Keys = {
  schema: "required",
  kind: "required",
  id: "required",
  version: "required",
  title: "required",
  crime: "required",
  status: "required",
  owner: "optional",
  author: "optional",
  approvedBy: "optional",
  effectiveFrom: "optional",
  retired: "optional",
  sources: "optional",
  subject: "optional",
  roles: "optional",
  params: "optional",
  filters: "optional",
  aggregates: "optional",
  base: "optional",
  peer: "optional",
  hits: "optional",
  explain: "optional",
  cautions: "optional",
  suppress: "optional",
  safeguards: "optional",
  tests: "optional",
};
/** Keys of an indicator, in the order in which they are written. */
export const INDICATOR_KEYS: Keys = {
  ...SHARED_KEYS,
  scope: "optional",
  emit: "optional",
  flow: "optional",
  when: "optional",
  exceptions: "optional",
};
/** Keys of a typology. */
export const TYPOLOGY_KEYS: Keys = {
  ...SHARED_KEYS,
  scope: "optional",
  scoring: "optional",
  alert_when: "required",
  severity: "required",
  alert_class: "optional",
  sla: "optional",
  supersedes: "optional",
  alone: "optional",
};
const DAY_MS = 86_400_000;
const SUPPRESS_DEFAULT_MS = 7 * DAY_MS;
const SUPPRESS_MAX_MS = 90 * DAY_MS;
const HISTORY_MAX_MS = 180 * DAY_MS;
/** What an id looks like; at most 40 characters. */
export const RULE_ID = /^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$/;

/** Reads a rule; undefined when not even its id and kind can be told. */
export function readRule(root: MapNode, findings: Findings): RuleSource | undefined {
  const kind = wordAt(root, "kind", ["indicator", "typology"] as const, findings);
  const id = readId(root, findings);
  if (kind === undefined || id === undefined) {
    if (!root.byKey.has("kind")) findings.add("E011", root, "a rule needs `kind: indicator` or `kind: typology`");
    if (!root.byKey.has("id")) findings.add("E011", root, "a rule needs `id`");
    return undefined;
  }
  const keys = kind === "indicator" ? INDICATOR_KEYS : TYPOLOGY_KEYS;
  checkKeys(root, keys, kind === "indicator" ? "an indicator" : "a typology", findings);
  const scalar = (key: string): ScalarNode | undefined => scalarAt(root, key, findings);
  scalar("owner");
  const roles = readRoles(root, findings);
  const when = clauseAt(root, "when", findings);
  const flow = root.byKey.get("flow")?.value;
  if (kind === "indicator" && when === undefined && flow === undefined && !root.byKey.has("when")) {
    findings.add("E011", root, "an indicator needs `when` or `flow`");
  }
  return {
    root,
    kind,
    id,
    version: integerAt(root, "version", 1, 1_000_000, findings) ?? 1,
    title: scalar("title"),
    crime: wordAt(root, "crime", CRIMES, findings) ?? "human_trafficking",
    status: wordAt(root, "status", RULE_STATUSES, findings) ?? "active",
    approval: readApproval(root, findings),
    sources: readSources(root, findings),
    subject: wordAt(root, "subject", ENTITY_KINDS, findings) ?? (kind === "typology" ? "party" : "account"),
    selfMayBe: roles.self,
    otherMayBe: roles.other,
    scope: readScope(root.byKey.get("scope")?.value, findings),
    params: readParams(root.byKey.get("params")?.value, findings),
    filters: readFilters(root.byKey.get("filters")?.value, findings),
    aggregates: readAggregates(root.byKey.get("aggregates")?.value, "aggregates", findings),
    base: readBase(root.byKey.get("base")?.value, findings),
    peer: readPeer(root.byKey.get("peer")?.value, findings),
    emit: readEmit(root.byKey.get("emit")?.value, findings),
    hits: readHits(root.byKey.get("hits")?.value, findings),
    flow: flow && readFlow(flow, findings),
    when,
    exceptions: readExceptions(root.byKey.get("exceptions")?.value, findings),
    explain: scalar("explain"),
    cautions: readTexts(root, "cautions", findings),
    suppressForMs: readInner(root, "suppress", "for", SUPPRESS_MAX_MS, findings) ?? SUPPRESS_DEFAULT_MS,
    minHistoryMs: readInner(root, "safeguards", "min_history", HISTORY_MAX_MS, findings) ?? 0,
    typology: kind === "typology" ? readTypology(root, findings) : undefined,
  };
}

function readId(root: MapNode, findings: Findings): ScalarNode | undefined {
  const id = scalarAt(root, "id", findings);
  if (id === undefined) return undefined;
  if (RULE_ID.test(id.text) && id.text.length <= 40) return id;
  const hint = "capitals, digits and hyphens, such as HT-FUNNEL-02";
  findings.add("E014", id, `\`${shorten(id.text)}\` cannot be a rule id`, hint);
  return undefined;
}

function clauseAt(root: MapNode, key: string, findings: Findings): ClauseSource | undefined {
  const node = root.byKey.get(key)?.value;
  return node && readClause(node, findings);
}

function readSources(root: MapNode, findings: Findings): CitationSource[] {
  const node = root.byKey.get("sources")?.value;
  const out: CitationSource[] = [];
  for (const item of node === undefined ? [] : asItems(node, "`sources`", findings, false)) {
    const map = asMap(item, "a source", findings);
    if (map === undefined) continue;
    checkKeys(map, { doc: "required", point: "required" }, "a source", findings);
    const doc = scalarAt(map, "doc", findings);
    const point = scalarAt(map, "point", findings);
    if (doc !== undefined && point !== undefined) out.push({ doc, point });
  }
  return out;
}

function readRoles(root: MapNode, findings: Findings): { self: readonly PartyRole[]; other: readonly PartyRole[] } {
  const node = root.byKey.get("roles")?.value;
  const map = node && asMap(node, "`roles`", findings);
  if (map === undefined) return { self: [], other: [] };
  checkKeys(map, { self: "optional", other: "optional" }, "`roles`", findings);
  const side = (key: string): readonly PartyRole[] => {
    const value = map.byKey.get(key)?.value;
    const of = value && asMap(value, `\`${key}\``, findings);
    if (of === undefined) return [];
    checkKeys(of, { may_be: "required" }, `\`roles.${key}\``, findings);
    return wordsAt(of, "may_be", PARTY_ROLES, findings) ?? [];
  };
  return { self: side("self"), other: side("other") };
}

function readTexts(root: MapNode, key: string, findings: Findings): ScalarNode[] {
  const node = root.byKey.get(key)?.value;
  const out: ScalarNode[] = [];
  for (const item of node === undefined ? [] : asItems(node, `\`${key}\``, findings, false)) {
    const scalar = asScalar(item, `an entry of \`${key}\``, findings);
    if (scalar !== undefined) out.push(scalar);
  }
  return out;
}

/** The duration of the one key that a small mapping such as `suppress: { for: 7d }` has. */
function readInner(root: MapNode, key: string, inner: string, mostMs: number, findings: Findings): number | undefined {
  const node = root.byKey.get(key)?.value;
  const map = node && asMap(node, `\`${key}\``, findings);
  if (map === undefined) return undefined;
  checkKeys(map, { [inner]: "required" }, `\`${key}\``, findings);
  return durationAt(map, inner, mostMs, findings)?.ms;
}

function readTypology(root: MapNode, findings: Findings): TypologySource {
  const scoring = root.byKey.get("scoring")?.value;
  const map = scoring && asMap(scoring, "`scoring`", findings);
  if (map !== undefined) {
    checkKeys(map, { indicators: "required", family_cap: "optional", reduce: "optional" }, "`scoring`", findings);
  }
  const slaNode = root.byKey.get("sla")?.value;
  const slaMap = slaNode && asMap(slaNode, "`sla`", findings);
  if (slaMap !== undefined) checkKeys(slaMap, { class: "required", within: "required" }, "`sla`", findings);
  const slaClass = slaMap && scalarAt(slaMap, "class", findings);
  const within = slaMap && durationAt(slaMap, "within", 60 * DAY_MS, findings);
  const alone = root.byKey.get("alone")?.value;
  const aloneMap = alone && asMap(alone, "`alone`", findings);
  if (aloneMap !== undefined) checkKeys(aloneMap, { because: "required" }, "`alone`", findings);
  return {
    indicators: map === undefined ? [] : readScored(map, "indicators", true, findings),
    familyCap: map && integerAt(map, "family_cap", 1, 1_000, findings),
    reductions: map === undefined ? [] : readScored(map, "reduce", false, findings),
    alertWhen: clauseAt(root, "alert_when", findings),
    bands: readBands(root, findings),
    alertClass: wordAt(root, "alert_class", ALERT_CLASSES, findings) ?? "standard",
    sla: slaClass && within && { class: slaClass.text, withinMs: within.ms },
    supersedes: readTexts(root, "supersedes", findings),
    alone: aloneMap && scalarAt(aloneMap, "because", findings),
  };
}

function readScored(map: MapNode, key: string, families: boolean, findings: Findings): ScoredSource[] {
  const node = map.byKey.get(key)?.value;
  const out: ScoredSource[] = [];
  const names = new Set<string>();
  const keys: Keys = families
    ? { family: "required", points: "required", when: "required" }
    : { points: "required", when: "required" };
  for (const item of node === undefined ? [] : asItems(node, `\`${key}\``, findings, false)) {
    const entry = single(item, `an entry of \`${key}\``, findings);
    const of = entry && asMap(entry.value, `\`${shorten(entry.key.text)}\``, findings);
    if (entry === undefined || of === undefined) continue;
    if (names.has(entry.key.text)) findings.add("E002", entry.key, `\`${shorten(entry.key.text)}\` stands twice`);
    names.add(entry.key.text);
    checkKeys(of, keys, `an entry of \`${key}\``, findings);
    out.push({
      name: entry.key,
      family: families ? scalarAt(of, "family", findings) : undefined,
      points: scalarAt(of, "points", findings),
      when: scalarAt(of, "when", findings),
    });
  }
  return out;
}

const BANDS = ["medium", "high", "critical"] as const;

function readBands(root: MapNode, findings: Findings): TypologySource["bands"] {
  const node: SourceNode | undefined = root.byKey.get("severity")?.value;
  const map = node && asMap(node, "`severity`", findings);
  if (map === undefined) return [];
  checkKeys(map, { medium: "optional", high: "optional", critical: "optional" }, "`severity`", findings);
  const out: { severity: (typeof BANDS)[number]; score: number }[] = [];
  for (const severity of BANDS) {
    const score = integerAt(map, severity, 1, 1_000, findings);
    if (score === undefined) continue;
    const before = out[out.length - 1];
    if (before !== undefined && before.score >= score) {
      findings.add(
        "E017",
        map.byKey.get(severity)?.value ?? map,
        `\`${severity}\` must be above \`${before.severity}\``,
      );
    }
    out.push({ severity, score });
  }
  return out;
}
