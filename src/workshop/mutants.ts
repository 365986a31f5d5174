/**
 * Mutants of a rule: each differs from it in one place, as a slip of its author might. Most are made on the tree
 * of the file and compiled like the rule itself, those that no file can say on the compiled pack.
 */
import type { Pack } from "../rules/plan.ts";
import { lineAndColumn, type MapNode, type ScalarNode, type SourceNode } from "../rules/source.ts";
import { type ExpressionOperator, expressionMutants } from "./mutate-expression.ts";
import { packMutants } from "./mutate-pack.ts";
import { compareQuantities, scaled, stepped } from "./quantities.ts";
import { nodeAt, renamed, replaceAt, type TreePath, withText, wrapped } from "./tree-edit.ts";

export type MutationOperator =
  | ExpressionOperator
  | "dropped clause"
  | "dropped filter"
  | "window"
  | "steps swapped"
  | "weight"
  | "aggregate"
  | "counting";

export interface Mutant {
  readonly operator: MutationOperator;
  readonly line: number;
  /** What differs, such as `min_people: 3 -> 4`. */
  readonly change: string;
  /** Old and new literal where one was changed, for the search of a test that tells them apart. */
  readonly literals: readonly string[];
  /** The rule's file with the change; undefined: it is made by `transform`. */
  readonly root: MapNode | undefined;
  readonly transform: ((pack: Pack) => Pack | undefined) | undefined;
}

/** Where a rule says what it does; the rest of a file is text, tests and papers. */
const ACTING_KEYS = [
  "scope",
  "filters",
  "aggregates",
  "base",
  "peer",
  "completed",
  "hits",
  "flow",
  "when",
  "alert_when",
];
/** Durations or numbers of events that bound what is looked at. */
const WINDOW_KEYS: ReadonlySet<string> = new Set(["last", "within", "starts_within", "gap", "most", "over"]);
const WORD_SWAPS: Readonly<Record<string, string>> = { min: "max", max: "min", avg: "median", median: "avg" };

/** Every mutant of a rule, in the order of its file. */
export function mutantsOf(root: MapNode): Mutant[] {
  const found: Mutant[] = [];
  const tree = new TreeMutants(root, found);
  tree.params();
  for (const key of [...ACTING_KEYS, "safeguards"]) {
    const node = root.byKey.get(key)?.value;
    if (node !== undefined) tree.walk(node, [key]);
  }
  for (const key of ["when", "alert_when"]) {
    const node = root.byKey.get(key)?.value;
    if (node !== undefined) tree.clause(node, [key]);
  }
  tree.flow();
  found.push(...packMutants(root));
  return found.sort((a, b) => a.line - b.line);
}

class TreeMutants {
  private readonly root: MapNode;
  private readonly found: Mutant[];

  constructor(root: MapNode, found: Mutant[]) {
    this.root = root;
    this.found = found;
  }

  /** Values of parameters, one step up and down within their range; windows half and double beyond it. */
  params(): void {
    const params = this.root.byKey.get("params")?.value;
    const windows = this.windowParams();
    for (const { key, value } of params?.kind === "map" ? params.entries : []) {
      const scalar = (name: string) => textAt(value, [name]);
      const now = nodeAt(value, ["value"]);
      if (now?.kind !== "scalar") continue;
      const path = ["params", key.text, "value"];
      const step = scalar("step") ?? (/^\d+$/.test(now.text) ? "1" : undefined);
      for (const times of [1, -1] as const) {
        const by = step === undefined ? undefined : stepped(now.text, step, times);
        if (by === undefined || !within(by, textAt(value, ["range", 0]), textAt(value, ["range", 1]))) continue;
        this.text("boundary", path, now, by, `${key.text}: ${now.text} -> ${by}`);
      }
      if (windows.has(key.text)) this.windowParam(key.text, now);
    }
  }

  /** A tree below one of the keys that act: filters, windows, words, scopes and expressions in it. */
  walk(node: SourceNode, path: TreePath): void {
    if (node.kind === "seq") for (const [i, item] of node.items.entries()) this.walk(item, [...path, i]);
    if (node.kind !== "map") return;
    for (const { key, value } of node.entries) {
      const at = [...path, key.text];
      const name = key.text;
      if ((name === "where" || name === "matching") && value.kind === "scalar") {
        this.add("dropped filter", value, at, undefined, `${name}: ${value.text} dropped`);
        this.expression(value, at);
      } else if (path[0] === "filters" && value.kind === "scalar") this.expression(value, at);
      else if (WINDOW_KEYS.has(name) && value.kind === "scalar") this.window(name, value, at);
      else if (name === "min_history" && value.kind === "scalar") {
        this.add("dropped filter", value, ["safeguards"], undefined, `min_history: ${value.text} dropped`);
      } else if (name === "cancel_on" || (name === "remote" && path[0] === "flow")) {
        this.add("dropped filter", key, at, undefined, `${name} dropped`);
      } else if (name === "count" && value.kind === "scalar" && path[0] === "hits") this.counting(value, at);
      else if (path[path.length - 1] === "scope" || (path[0] === "scope" && path.length === 1)) {
        this.add("dropped filter", key, at, undefined, `scope ${name}: ${sourceText(value)} dropped`);
      } else this.walk(value, at);
    }
    this.word(node, path);
  }

  /** A clause tree: parts left out, all and any swapped, each leaf the other way round. */
  clause(node: SourceNode, path: TreePath): void {
    const entry = node.kind === "map" && node.entries.length === 1 ? node.entries[0] : undefined;
    if (entry === undefined) return;
    const { key, value } = entry;
    const at = [...path, key.text];
    switch (key.text) {
      case "all":
      case "any":
        this.branch(node as MapNode, key, value, path);
        return;
      case "not":
        if (value.kind === "seq") for (const [i, item] of value.items.entries()) this.clause(item, [...at, i]);
        else this.clause(value, at);
        return;
      case "at_least":
        this.atLeast(value, at);
        return;
      default:
        break;
    }
    if (value.kind === "map") {
      this.clause(value, at);
      return;
    }
    if (value.kind !== "scalar") return;
    this.add("negation", value, path, wrapped("not", node), `${key.text}: not ${value.text}`);
    this.expression(value, at);
  }

  /** Steps in each other's place, and what each step waits for. */
  flow(): void {
    const steps = nodeAt(this.root, ["flow", "steps"]);
    if (steps?.kind !== "seq") return;
    steps.items.forEach((item, i) => {
      const [entry] = item.kind === "map" ? item.entries : [];
      if (entry === undefined) return;
      const at = ["flow", "steps", i, entry.key.text];
      const until = nodeAt(entry.value, ["until"]);
      if (until !== undefined) this.clause(until, [...at, "until"]);
      this.swapWithNext(steps.items, i);
    });
  }

  private branch(node: MapNode, key: ScalarNode, value: SourceNode, path: TreePath): void {
    const items = value.kind === "seq" ? value.items : [];
    const at = [...path, key.text];
    if (items.length > 1) {
      const other = key.text === "all" ? "any" : "all";
      this.add("all/any", key, path, renamed(node, key.text, other, value), `${key.text} -> ${other}`);
      items.forEach((item, i) => {
        this.add("dropped clause", item, [...at, i], undefined, `${sourceText(item)} dropped`);
      });
    }
    for (const [i, item] of items.entries()) this.clause(item, [...at, i]);
  }

  private atLeast(value: SourceNode, at: TreePath): void {
    const n = nodeAt(value, ["n"]);
    const of = nodeAt(value, ["of"]);
    const items = of?.kind === "seq" ? of.items : [];
    for (const times of [1, -1] as const) {
      const by = n?.kind === "scalar" ? stepped(n.text, "1", times) : undefined;
      if (by === undefined || n?.kind !== "scalar" || by === "0" || Number(by) > items.length) continue;
      this.text("boundary", [...at, "n"], n, by, `at_least ${n.text} -> ${by}`);
    }
    for (const [i, item] of items.entries()) this.clause(item, [...at, "of", i]);
  }

  private expression(node: ScalarNode, path: TreePath): void {
    for (const { operator, text } of expressionMutants(node.text)) {
      this.text(operator, path, node, text, `${node.text} -> ${text}`);
    }
  }

  private window(name: string, value: ScalarNode, at: TreePath): void {
    const events = /^(\d+) events?$/.exec(value.text);
    for (const [numerator, denominator] of [
      [1n, 2n],
      [2n, 1n],
    ] as const) {
      const by =
        events === null
          ? scaled(value.text, numerator, denominator)
          : `${(BigInt(events[1] ?? "0") * numerator) / denominator} events`;
      if (by !== undefined) this.text("window", at, value, by, `${name}: ${value.text} -> ${by}`);
    }
  }

  /** The range goes with the value: half and double of a window may well lie outside of it. */
  private windowParam(name: string, now: ScalarNode): void {
    const path = ["params", name];
    const param = nodeAt(this.root, path);
    for (const [numerator, denominator] of [
      [1n, 2n],
      [2n, 1n],
    ] as const) {
      const by = scaled(now.text, numerator, denominator);
      if (by === undefined || param?.kind !== "map") continue;
      const value = withText(now, by);
      const range = { ...now, kind: "seq" as const, items: [value, value] };
      const changed = replaceAt(replaceAt(param, ["value"], value), ["range"], range);
      this.add("window", now, path, changed, `${name}: ${now.text} -> ${by}`, [now.text, by]);
    }
  }

  private windowParams(): ReadonlySet<string> {
    const found = new Set<string>();
    const visit = (node: SourceNode, key: string): void => {
      if (node.kind === "map") for (const entry of node.entries) visit(entry.value, entry.key.text);
      else if (node.kind === "seq") for (const item of node.items) visit(item, key);
      else if (WINDOW_KEYS.has(key) && node.text.startsWith("params.")) found.add(node.text.slice("params.".length));
    };
    for (const key of ACTING_KEYS) {
      const node = this.root.byKey.get(key)?.value;
      if (node !== undefined) visit(node, key);
    }
    return found;
  }

  private counting(value: ScalarNode, at: TreePath): void {
    const by = value.text === "sources" ? "episodes" : "sources";
    this.text("counting", at, value, by, `count: ${value.text} -> ${by}`);
  }

  /** What an aggregate computes, where another word goes with the same units. */
  private word(map: MapNode, path: TreePath): void {
    for (const { key, value } of map.entries) {
      const other = WORD_SWAPS[key.text];
      if (other !== undefined && value.kind === "scalar") {
        this.add("aggregate", key, path, renamed(map, key.text, other, value), `${key.text} -> ${other}`);
      } else if (key.text === "distinct" && value.kind === "scalar") {
        const events = withText(value, "events");
        const counted = replaceAt(renamed(map, "distinct", "count", events), ["cap"], undefined);
        this.add("aggregate", key, path, counted, `distinct ${value.text} -> count events`);
      }
    }
  }

  /** Each of two steps looks for what the other looks for. */
  private swapWithNext(items: readonly SourceNode[], i: number): void {
    const [one] = items[i]?.kind === "map" ? items[i].entries : [];
    const [two] = items[i + 1]?.kind === "map" ? (items[i + 1] as MapNode).entries : [];
    if (one?.value.kind !== "map" || two?.value.kind !== "map") return;
    const scopes = [nodeAt(one.value, ["scope"]), nodeAt(two.value, ["scope"])];
    if (scopes[0] === undefined || scopes[1] === undefined) return;
    const first = replaceAt(this.root, ["flow", "steps", i, one.key.text, "scope"], scopes[1]);
    const root = replaceAt(first, ["flow", "steps", i + 1, two.key.text, "scope"], scopes[0]);
    const change = `events of ${one.key.text} and ${two.key.text} swapped`;
    this.found.push({ ...made("steps swapped", one.key, change), root });
  }

  private text(operator: MutationOperator, path: TreePath, node: ScalarNode, text: string, change: string): void {
    this.add(operator, node, path, withText(node, text), change, [node.text, text, ...this.paramsIn(node.text)]);
  }

  /** Values of the parameters that an expression names. */
  private paramsIn(text: string): string[] {
    const names = text.match(/(?<=\bparams\.)\w+/g) ?? [];
    return names.flatMap((name) => textAt(this.root, ["params", name, "value"]) ?? []);
  }

  private add(
    operator: MutationOperator,
    place: SourceNode,
    path: TreePath,
    node: SourceNode | undefined,
    change: string,
    literals: readonly string[] = [],
  ): void {
    this.found.push({ ...made(operator, place, change, literals), root: replaceAt(this.root, path, node) });
  }
}

function made(operator: MutationOperator, place: SourceNode, change: string, literals: readonly string[] = []) {
  const { line } = lineAndColumn(place.source, place.start);
  return { operator, line, change: change.replace(/\s+/g, " "), literals, root: undefined, transform: undefined };
}

function within(text: string, least: string | undefined, most: string | undefined): boolean {
  if (least !== undefined && (compareQuantities(text, least) ?? 0) < 0) return false;
  return most === undefined || (compareQuantities(text, most) ?? 0) <= 0;
}

function textAt(node: SourceNode, path: TreePath): string | undefined {
  const found = nodeAt(node, path);
  return found?.kind === "scalar" ? found.text : undefined;
}

/** The text of a node as it stands in the file. */
function sourceText(node: SourceNode): string {
  return node.source.text.slice(node.start, node.end).trim();
}
