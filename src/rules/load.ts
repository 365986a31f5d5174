/** From the files of a rules directory to a compiled pack, with everything that is wrong with them. */
import type { Diagnostic } from "../base/errors.ts";
import { WINDOW_MAX_MS } from "../base/limits.ts";
import { currencyOf } from "../domain/currencies.ts";
import { ENTITY_KINDS, type EntityKind } from "../domain/entity.ts";
import { createBaselineTable } from "./baseline-table.ts";
import { isInForce } from "./check.ts";
import { compileRule, type PackDraft, type RuleDraft } from "./compile.ts";
import { createFindings, type Findings, sortDiagnostics } from "./diagnostics.ts";
import type { Type } from "./expression/types.ts";
import { createRuleIndex, markReach, orderRules } from "./hits.ts";
import { type Lists, readLists } from "./lists.ts";
import { createMeasureTable } from "./measures.ts";
import { groupOverrides } from "./params.ts";
import { type PeerTables, readPeerTables } from "./peers.ts";
import type { CompiledRule, Pack, SubjectPlan } from "./plan.ts";
import { type RuleSource, readRule } from "./schema.ts";
import { packHash } from "./semantic-hash.ts";
import { LIST_LIMITS, type MapNode, RULE_LIMITS, readSource, type SourceFile, shorten } from "./source.ts";
import { hintFor } from "./suggest.ts";
import { entriesInForce, readTuning, type TuningEntry, tuningByRule, tuningValues } from "./tuning.ts";
import { readVocabulary } from "./vocabulary.ts";

export type { SourceFile } from "./source.ts";

export interface LoadOptions {
  /** Part of alert ids; `default` when there is one institution. */
  readonly tenant?: string;
  /** Values for parameters by `RULE.param`, within their ranges. */
  readonly set?: Readonly<Record<string, string>>;
  /** Epoch ms; lists that have expired by then are errors, overdue ones warnings. Undefined: not judged. */
  readonly asOf?: number;
  /** Epoch ms; overrides of the tuning that have expired by then are left out. Undefined: all of them hold. */
  readonly now?: number;
  /** Drafts are compiled as if they were in shadow, so that their tests can run. */
  readonly drafts?: boolean;
}

export interface Loaded {
  /** Undefined when there is an error. */
  readonly pack: Pack | undefined;
  readonly lists: Lists;
  /** What could be read of each rule, by id, whatever is wrong with it. */
  readonly rules: readonly RuleSource[];
  readonly diagnostics: readonly Diagnostic[];
}

const FILES_MAX = 2_000;

/** The files of a pack as they were read: sound enough to compile, or with what is wrong. */
export interface PackSource {
  /** By id. */
  readonly rules: readonly RuleSource[];
  readonly lists: Lists;
  readonly listRoots: readonly MapNode[];
  readonly vocabularyRoot: MapNode | undefined;
  readonly peerRoots: readonly MapNode[];
  readonly peerTables: PeerTables;
  readonly diagnostics: readonly Diagnostic[];
  /** The operator's overrides, in the order of their file. */
  readonly tuning: readonly TuningEntry[];
  /** Errors in all, also those beyond the diagnostics that are kept. */
  readonly errors: number;
}

/**
 * Compiles a pack. A file says by its `schema` whether it is a rule or a list; its name must be its id.
 * Nothing is thrown for what stands in files. The result does not depend on the order of `files`.
 */
export function loadPack(files: readonly SourceFile[], options: LoadOptions = {}): Loaded {
  return compilePack(readPack(files, options.asOf), options);
}

/** Trees of files in which nothing was found, for whoever reads the same files again. */
export type FileTrees = Map<SourceFile, MapNode>;

/** Reads the files of a pack; `asOf` judges the dates of lists. Trees are taken from `trees` and put there. */
export function readPack(files: readonly SourceFile[], asOf?: number, trees: FileTrees = new Map()): PackSource {
  const findings = createFindings();
  const { ruleRoots, listRoots, peerRoots, vocabularyRoot, tuningRoot } = readRoots(files, findings, trees);
  const vocabulary = vocabularyRoot && readVocabulary(vocabularyRoot, findings);
  const lists = readLists(listRoots, vocabulary, asOf, findings);
  const rules = readRules(ruleRoots, findings);
  const peerTables = readPeerTables(peerRoots, lists.rates.base, findings);
  const written = tuningRoot === undefined ? [] : readTuning(tuningRoot, rules, lists.vocabulary, findings);
  const tuning = entriesInForce(written, asOf, true, findings);
  const read = { rules, lists, listRoots, vocabularyRoot, peerRoots, peerTables, tuning };
  return { ...read, diagnostics: findings.list(), errors: findings.errors };
}

/** Compiles what was read; its findings stand among those of the compilation. */
export function compilePack(source: PackSource, options: LoadOptions = {}): Loaded {
  const { lists, listRoots, vocabularyRoot, peerRoots, peerTables } = source;
  const findings = createFindings();
  const tuning = entriesInForce(source.tuning, options.now, false, findings);
  const tuned = tuningByRule(tuning);
  const sources = source.rules.map((rule) => {
    const status = tuned.get(rule.id.text)?.status ?? rule.status;
    return { ...rule, status: status === "draft" && options.drafts === true ? ("shadow" as const) : status };
  });
  const set = options.set ?? {};
  const overrides = groupOverrides(set, new Set(sources.map((rule) => rule.id.text)), findings);
  const currency = { code: lists.rates.base, decimals: currencyOf(lists.rates.base)?.decimals ?? 2 };
  const create = (): PackDraft => {
    const tables = { measures: createMeasureTable(), baselines: createBaselineTable(), peerTables };
    return { findings, lists, currency, ...tables, flows: [], hitInputs: [] };
  };
  const live = create();
  // Drafts and retired rules are checked too, but leave nothing in the plan.
  const idle = create();
  const geography = new Set<string>();
  const emitted = new Map<string, ReadonlyMap<string, Type>>();
  const index = createRuleIndex(sources, geography, emitted);
  const drafts: RuleDraft[] = [];
  for (const rule of orderRules(sources, findings)) {
    const inForce = isInForce(rule.status);
    const id = rule.id.text;
    const compiled = compileRule(rule, inForce ? live : idle, index, {
      overrides: [...(tuned.get(id)?.overrides ?? []), ...(overrides.get(id) ?? [])],
      exceptions: tuned.get(id)?.exceptions ?? new Map(),
    });
    if (compiled.geography) geography.add(id);
    emitted.set(id, compiled.emitted);
    if (inForce && compiled.rule !== undefined) drafts.push(compiled.rule);
  }
  const diagnostics = sortDiagnostics([...source.diagnostics, ...findings.list()]);
  if (source.errors + findings.errors > 0) return { pack: undefined, lists, rules: source.rules, diagnostics };
  const roots = sources.filter((rule) => isInForce(rule.status)).map((rule) => rule.root);
  const values = [...Object.entries(set).map(([key, value]) => ({ key, value })), ...tuningValues(tuning)];
  const hash = packHash(roots, [...listRoots, ...peerRoots, ...(vocabularyRoot ? [vocabularyRoot] : [])], values);
  return { pack: assemble(live, drafts, hash, options.tenant ?? "default"), lists, rules: source.rules, diagnostics };
}

interface Roots {
  readonly ruleRoots: MapNode[];
  readonly listRoots: MapNode[];
  readonly peerRoots: MapNode[];
  vocabularyRoot: MapNode | undefined;
  tuningRoot: MapNode | undefined;
}

const SCHEMAS = ["rule/v1", "list/v1", "vocabulary/v1", "tuning/v1", "baseline/v1"];

/** The tree of a rule or a list; undefined when it cannot be read. Only lists and base lines may be long. */
export function treeOf(file: SourceFile, findings: Findings, trees: FileTrees): MapNode | undefined {
  const known = trees.get(file);
  if (known !== undefined) return known;
  // Which of them a file is stands near its beginning.
  const isList = /(^|\n|[{,])\s*["']?schema["']?\s*:\s*["']?(list|baseline)\/v1/.test(file.text.slice(0, 4_000));
  const before = findings.errors;
  const root = readSource(file, isList ? LIST_LIMITS : RULE_LIMITS, findings);
  if (root !== undefined && findings.errors === before) trees.set(file, root);
  return root;
}

function readRoots(files: readonly SourceFile[], findings: Findings, trees: FileTrees): Roots {
  const single = { vocabularyRoot: undefined, tuningRoot: undefined };
  const roots: Roots = { ruleRoots: [], listRoots: [], peerRoots: [], ...single };
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  if (sorted.length > FILES_MAX) {
    findings.addPlain("E004", "", `a pack has at most ${FILES_MAX} files, not ${sorted.length}`);
    return roots;
  }
  for (const file of sorted) {
    const root = treeOf(file, findings, trees);
    if (root === undefined) continue;
    const schema = root.byKey.get("schema")?.value;
    const text = schema?.kind === "scalar" ? schema.text : "";
    if (text === "rule/v1") roots.ruleRoots.push(root);
    else if (text === "list/v1") roots.listRoots.push(root);
    else if (text === "baseline/v1") roots.peerRoots.push(root);
    else if (text === "vocabulary/v1") {
      if (roots.vocabularyRoot !== undefined) findings.add("E041", root, "there can be one vocabulary only");
      roots.vocabularyRoot ??= root;
    } else if (text === "tuning/v1") {
      if (roots.tuningRoot !== undefined) findings.add("E041", root, "there can be one tuning file only");
      roots.tuningRoot ??= root;
    } else if (schema === undefined) findings.add("E011", root, "a file needs `schema: rule/v1` or `schema: list/v1`");
    else {
      const hint = hintFor(text, SCHEMAS);
      findings.add("E013", schema, `\`schema\` cannot be \`${shorten(text)}\``, hint);
    }
    if (text === "rule/v1" || text === "list/v1") checkFileName(file.path, root, findings);
  }
  return roots;
}

function checkFileName(path: string, root: MapNode, findings: Findings): void {
  const id = root.byKey.get("id")?.value;
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.ya?ml$/, "");
  if (id?.kind !== "scalar" || id.text === name || id.text === "") return;
  findings.add(
    "E040",
    id,
    `the file is named \`${shorten(name)}\`, the id is \`${shorten(id.text)}\``,
    "make them equal",
  );
}

function readRules(roots: readonly MapNode[], findings: Findings): RuleSource[] {
  const byId = new Map<string, RuleSource>();
  for (const root of roots) {
    const rule = readRule(root, findings);
    if (rule === undefined) continue;
    const other = byId.get(rule.id.text);
    if (other === undefined) byId.set(rule.id.text, rule);
    else findings.add("E041", rule.id, `\`${rule.id.text}\` is in ${other.root.source.file} already`);
  }
  return [...byId.values()].sort((a, b) => (a.id.text < b.id.text ? -1 : 1));
}

function assemble(draft: PackDraft, drafts: readonly RuleDraft[], hash: string, tenant: string): Pack {
  const reach = markReach(draft.hitInputs);
  const sorted = [...drafts].sort((a, b) => (a.id < b.id ? -1 : 1));
  const rules: CompiledRule[] = sorted.map((rule, slot) => {
    return { slot, ...rule, marks: reach.get(rule.id) ?? { downstream: 0, upstream: 0 } };
  });
  const { measures, aggregates } = draft.measures.finish();
  const { samplers, baselines, peers } = draft.baselines.finish();
  // Judged in this order: a rule after those whose hits it counts, so that a typology sees one that just opened.
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  const inOrder = drafts.flatMap((rule) => byId.get(rule.id) ?? []);
  const subjects = {} as Record<EntityKind, SubjectPlan>;
  for (const kind of ENTITY_KINDS) {
    const own = inOrder.filter((rule) => rule.subject === kind);
    subjects[kind] = {
      samplers: samplers.filter((sampler) => sampler.subject === kind),
      measures: measures.filter((measure) => measure.subject === kind),
      indicators: own.filter((rule) => rule.kind === "indicator"),
      typologies: own.filter((rule) => rule.kind === "typology"),
    };
  }
  const windows = [
    ...measures.map((measure) => Math.min(measure.windowMs, WINDOW_MAX_MS)),
    ...draft.hitInputs.map((input) => input.lastMs),
    ...samplers.map((sampler) => sampler.stepMs * sampler.keep),
    ...draft.flows.map((flow) => flow.withinMs),
    ...rules.map((rule) => rule.suppressForMs),
  ];
  return {
    hash,
    tenant,
    baseCurrency: draft.currency.code,
    rules,
    measures,
    aggregates,
    hitInputs: draft.hitInputs,
    samplers,
    baselines,
    peers,
    flows: draft.flows,
    subjects,
    horizonMs: windows.reduce((longest, ms) => Math.max(longest, ms), 0),
  };
}
