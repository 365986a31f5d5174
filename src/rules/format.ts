/**
 * The one form of rule, list, vocabulary and tuning files: keys in the order in which a reader asks for them,
 * one way of spacing, lines of at most 120 columns where text can be broken. Comments stay with what they stand
 * at, and what the file means stays as it was.
 */
import { isMap, isPair, isScalar, isSeq, Lexer, type Pair, parseDocument, type YAMLMap } from "yaml";
import type { Findings } from "./diagnostics.ts";
import { nodeText } from "./semantic-hash.ts";
import { type MapNode, readSource, type SourceFile, type SourceLimits } from "./source.ts";

const COLUMNS = 120;

const RULE_ORDER =
  "schema kind id version title crime status owner author approvedBy effectiveFrom retired sources subject roles " +
  "scope params filters aggregates base peer hits flow when exceptions emit scoring alert_when severity alert_class " +
  "sla supersedes alone explain cautions suppress safeguards tests";
const LIST_ORDER = "schema id type title owner basis source version reviewBy expires base entries";
const TUNING_ORDER = "schema overrides";
const VOCABULARY_ORDER = "schema version merchant_class memo_class segment industry occupation_group";

/** Order of the keys of nested mappings, by the key that holds them; `*` stands for the names of a mapping. */
const NESTED_ORDER: ReadonlyMap<string, string> = new Map([
  ["sources", "doc point"],
  ["scope", "rail direction channel purpose stage"],
  ["params.*", "value range step"],
  ["hits.*", "of from last count"],
  ["flow", "within remote by steps cancel_on"],
  ["flow.steps.*", "scope where starts_within keep until"],
  ["scoring", "indicators family_cap reduce"],
  ["scoring.indicators.*", "family points when"],
  ["scoring.reduce.*", "points when"],
  ["severity", "medium high critical"],
  ["tests", "name kind given events expect"],
  ["overrides", "rule param segment value status exception values reason owner approver expires"],
]);

/**
 * The file in its form; undefined when it cannot be read, which is told as a finding.
 * Throws Error when the form would mean something else than the file: a fault of this program.
 */
export function formatRuleFile(file: SourceFile, limits: SourceLimits, findings: Findings): string | undefined {
  const before = readSource(file, limits, findings);
  if (before === undefined) return undefined;
  const errors = findings.errors;
  const document = parseDocument(file.text, { schema: "failsafe", merge: false, uniqueKeys: false });
  if (!isMap(document.contents)) return undefined;
  orderMap(document.contents, rootOrder(before), "");
  const text = tightened(document.toString({ lineWidth: COLUMNS, minContentWidth: 40, flowCollectionPadding: true }));
  const after = readSource({ path: file.path, text }, limits, findings);
  if (after === undefined || findings.errors > errors || nodeText(after) !== nodeText(before)) {
    throw new Error(`${file.path}: its form would mean something else; nothing was changed`);
  }
  return text;
}

function rootOrder(root: MapNode): string {
  const schema = root.byKey.get("schema")?.value;
  switch (schema?.kind === "scalar" ? schema.text : "") {
    case "list/v1":
      return LIST_ORDER;
    case "vocabulary/v1":
      return VOCABULARY_ORDER;
    case "tuning/v1":
      return TUNING_ORDER;
    default:
      return RULE_ORDER;
  }
}

/** Sorts the pairs of a mapping and of those below it; keys without a place stay in their order, at the end. */
function orderMap(map: YAMLMap, order: string | undefined, path: string): void {
  if (order !== undefined) {
    const places = new Map(order.split(" ").map((key, index) => [key, index]));
    const placeOf = (pair: Pair): number => places.get(keyOf(pair)) ?? places.size;
    const first = map.items[0];
    map.items.sort((a, b) => placeOf(a) - placeOf(b));
    if (path === "") keepOnTop(first, map.items[0]);
  }
  for (const pair of map.items) {
    const key = keyOf(pair);
    const named = NESTED_ORDER.has(`${path}.*`.replace(/^\./, ""));
    const inner = path === "" ? key : `${path}.${named ? "*" : key}`;
    orderValue(pair.value, inner);
  }
}

/** The first comment of a file belongs to the file, not to the key that it stands at. */
function keepOnTop(before: Pair | undefined, after: Pair | undefined): void {
  if (before === after || !isScalar(before?.key) || !isScalar(after?.key)) return;
  const comments = [before.key.commentBefore, after.key.commentBefore].filter((comment) => comment != null);
  after.key.commentBefore = comments.length === 0 ? null : comments.join("\n");
  before.key.commentBefore = null;
}

function orderValue(value: unknown, path: string): void {
  if (isMap(value)) orderMap(value, NESTED_ORDER.get(path), path);
  else if (isSeq(value)) {
    for (const item of value.items) {
      // `- name: { ... }` is a name with a mapping; other items are mappings of their own.
      const only = isMap(item) && item.items.length === 1 ? item.items[0] : undefined;
      if (only !== undefined && isPair(only) && isMap(only.value) && NESTED_ORDER.has(`${path}.*`)) {
        orderValue(only.value, `${path}.*`);
      } else if (isMap(item)) orderMap(item, NESTED_ORDER.get(path), path);
    }
  }
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : "";
}

/** Takes the blanks out that stand inside the brackets of lists: `[a, b]`, and `{ a: b }` as it is. */
function tightened(text: string): string {
  const lexemes = [...new Lexer().lex(text)];
  const kept = lexemes.filter((lexeme, index) => {
    if (!/^ +$/.test(lexeme)) return true;
    const after = lexemes[index + 1] ?? "";
    return !(lexemes[index - 1] === "[" || (after === "]" && !(lexemes[index - 1] ?? "\n").endsWith("\n")));
  });
  return kept.filter((lexeme) => !LEXER_MARKS.has(lexeme)).join("");
}

/** By these the lexer tells where documents and scalars begin; no file may hold them itself. */
const LEXER_MARKS: ReadonlySet<string> = new Set(["\u0002", "\u0018", "\u001f"]);
