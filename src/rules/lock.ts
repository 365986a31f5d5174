/**
 * `rules.lock.json`: what each rule meant when its version was given. A rule that means something else under
 * the same version, an approval that is older than what it approves, and an id that comes back are findings.
 */
import { RULE_STATUSES, type RuleStatus } from "../domain/vocabulary.ts";
import type { Findings } from "./diagnostics.ts";
import type { RuleSource } from "./schema.ts";
import { ruleHash } from "./semantic-hash.ts";
import { asMap, checkKeys, integerAt, type Keys, scalarAt, wordAt } from "./shape.ts";
import { LIST_LIMITS, type MapNode, type Place, readSource, type SourceFile, shorten } from "./source.ts";

/** Name of the file, in the folder of the rules. */
export const LOCK_FILE = "rules.lock.json";

/** What the lock knows of one rule. */
export interface LockEntry {
  readonly version: number;
  /** sha-256 (hex) of the rule without version, status, tests and the names of people. */
  readonly hash: string;
  readonly status: RuleStatus;
  /** Day from which the approval of this version holds; undefined while it has none. */
  readonly effectiveFrom: string | undefined;
  /** Where it stands; undefined for one that was just made. */
  readonly place: Place | undefined;
}

export type Lock = ReadonlyMap<string, LockEntry>;

const ENTRY_KEYS: Keys = { version: "required", hash: "required", status: "required", effectiveFrom: "optional" };

/** Reads a lock; every fault is a finding and leaves its entry out. Undefined when it cannot be read at all. */
export function readLock(file: SourceFile, findings: Findings): Lock | undefined {
  const root = readSource(file, LIST_LIMITS, findings);
  if (root === undefined) return undefined;
  checkKeys(root, { schema: "required", rules: "required" }, "a lock", findings);
  if (wordAt(root, "schema", ["rules-lock/v1"], findings) === undefined) return undefined;
  const rules = root.byKey.get("rules")?.value;
  const map = rules && asMap(rules, "`rules`", findings);
  if (map === undefined) return undefined;
  const out = new Map<string, LockEntry>();
  for (const { key, value } of map.entries) {
    const of = asMap(value, `\`${shorten(key.text)}\``, findings);
    const entry = of && readEntry(of, key, findings);
    if (entry !== undefined) out.set(key.text, entry);
  }
  return out;
}

function readEntry(map: MapNode, place: Place, findings: Findings): LockEntry | undefined {
  checkKeys(map, ENTRY_KEYS, "an entry of the lock", findings);
  const number = map.byKey.get("version")?.value;
  const version = integerAt(map, "version", 1, 1_000_000, findings);
  const hash = scalarAt(map, "hash", findings);
  const status = wordAt(map, "status", RULE_STATUSES, findings);
  if (number === undefined || version === undefined || hash === undefined || status === undefined) return undefined;
  if (!/^[0-9a-f]{64}$/.test(hash.text)) {
    findings.add("E016", hash, "`hash` is not a sha-256 in hexadecimal");
    return undefined;
  }
  const effectiveFrom = scalarAt(map, "effectiveFrom", findings)?.text;
  return { version, hash: hash.text, status, effectiveFrom, place };
}

const WRITE = "then run `palermo rules lock`";

/**
 * Holds rules against the lock. Drafts are free to change. Findings: a change without a version step, a new
 * version under an old approval, an id that was retired or has lost its file, and, with `complete`, whatever
 * the lock does not know yet.
 */
export function checkLock(rules: readonly RuleSource[], lock: Lock, complete: boolean, findings: Findings): void {
  const ids = new Set<string>();
  for (const rule of rules) {
    const id = rule.id.text;
    ids.add(id);
    const known = lock.get(id);
    if (known !== undefined) checkRule(rule, known, complete, findings);
    else if (complete && rule.status !== "draft") {
      findings.add("E083", rule.id, `\`${id}\` is not in ${LOCK_FILE}`, "run `palermo rules lock`");
    }
  }
  for (const [id, entry] of lock) {
    if (ids.has(id) || entry.status === "retired" || entry.place === undefined) continue;
    const message = `\`${shorten(id)}\` is ${entry.status} in the lock and has no file`;
    findings.add("E084", entry.place, message, "keep the file with `status: retired` and its reason");
  }
}

function checkRule(rule: RuleSource, known: LockEntry, complete: boolean, findings: Findings): void {
  const id = rule.id.text;
  const hash = ruleHash(rule.root);
  const at = rule.root.byKey.get("version")?.value ?? rule.id;
  if (known.status === "retired" && (rule.status !== "retired" || hash !== known.hash)) {
    const hint = "a retired id stays with the rule that had it: choose another";
    findings.add("E084", rule.id, `\`${id}\` was retired and cannot be used again`, hint);
    return;
  }
  if (rule.status === "draft") return;
  if (rule.version < known.version) {
    findings.add("E083", at, `version ${rule.version} of \`${id}\` is below ${known.version}, which is in the lock`);
    return;
  }
  if (hash !== known.hash && rule.version === known.version) {
    const hint = `write version: ${known.version + 1}, ${WRITE}`;
    findings.add("E083", at, `\`${id}\` has changed and is still version ${rule.version}`, hint);
    return;
  }
  checkOldApproval(rule, known, findings);
  if (complete && (rule.version !== known.version || rule.status !== known.status || !sameDay(rule, known))) {
    findings.add("E083", at, `${LOCK_FILE} has \`${id}\` as it was before`, "run `palermo rules lock`");
  }
}

/** A new version of a rule in force does not act under the approval that the old one had. */
function checkOldApproval(rule: RuleSource, known: LockEntry, findings: Findings): void {
  const { effectiveFrom } = rule.approval;
  const stepped = rule.version > known.version && known.effectiveFrom !== undefined;
  if (rule.status !== "active" || !stepped || effectiveFrom === undefined) return;
  if (effectiveFrom.text !== known.effectiveFrom) return;
  const message = `this approval is that of version ${known.version}, not of version ${rule.version}`;
  findings.add("E080", effectiveFrom, message, "let a second person approve the new version and set its day");
}

function sameDay(rule: RuleSource, known: LockEntry): boolean {
  return rule.approval.effectiveFrom?.text === known.effectiveFrom;
}

/** The lock's text for these rules; what it knew of drafts and of ids without a file stays. */
export function lockText(rules: readonly RuleSource[], before: Lock): string {
  const entries = new Map<string, Omit<LockEntry, "place">>();
  for (const [id, { version, hash, status, effectiveFrom }] of before) {
    entries.set(id, { version, hash, status, effectiveFrom });
  }
  for (const { id, version, status, root, approval } of rules) {
    if (status === "draft") continue;
    entries.set(id.text, { version, hash: ruleHash(root), status, effectiveFrom: approval.effectiveFrom?.text });
  }
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify({ schema: "rules-lock/v1", rules: Object.fromEntries(sorted) }, null, 2)}\n`;
}
