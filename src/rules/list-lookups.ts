/** Where a rule looks values up in lists, with what it looks up: to see which entries the data ever meet. */
import type { TxSide } from "../domain/tx.ts";
import type { Ast } from "./expression/parser.ts";
import { FIELDS, foldName } from "./fields.ts";
import { expressionOf } from "./lint-bounds.ts";
import type { Lists, RuleList } from "./lists.ts";
import type { Context, Read } from "./plan.ts";
import type { RuleSource } from "./schema.ts";
import type { SourceNode } from "./source.ts";

export interface ListLookup {
  readonly list: RuleList;
  /** Entries that a context meets, as `entriesOf` names them. */
  readonly met: (c: Context) => readonly string[];
}

/** The names of a list's entries; a corridor is `from>to`, with `*` for any. */
export function entriesOf(list: RuleList): string[] {
  if (list.type === "corridor") return list.corridors.map(({ from, to }) => `${from ?? "*"}>${to ?? "*"}`);
  return [...list.entries];
}

/** Lists that the expressions of a rule name, by id. */
export function namedLists(rule: RuleSource, lists: Lists): { id: string; version: string }[] {
  const found = new Map<string, string>();
  for (const key of EXPRESSION_KEYS) {
    const node = rule.root.byKey.get(key)?.value;
    for (const text of node === undefined ? [] : textsOf(node)) {
      for (const [, name = ""] of text.matchAll(/\blists\.(\w+)/g)) {
        const list = lists.get(name);
        if (list !== undefined) found.set(list.id, list.version);
      }
    }
  }
  return [...found].map(([id, version]) => ({ id, version })).sort((a, b) => (a.id < b.id ? -1 : 1));
}

const EXPRESSION_KEYS = ["filters", "aggregates", "flow", "when", "scoring", "alert_when"];

/** Lookups in all expressions of a rule. */
export function listLookups(rule: RuleSource, lists: Lists): ListLookup[] {
  const out: ListLookup[] = [];
  for (const key of EXPRESSION_KEYS) {
    const node = rule.root.byKey.get(key)?.value;
    for (const text of node === undefined ? [] : textsOf(node)) {
      const ast = text.includes("lists.") ? expressionOf(text) : undefined;
      if (ast !== undefined) gather(ast, lists, out);
    }
  }
  return out;
}

function textsOf(node: SourceNode): string[] {
  if (node.kind === "scalar") return [node.text];
  if (node.kind === "seq") return node.items.flatMap(textsOf);
  return node.entries.flatMap(({ value }) => textsOf(value));
}

function gather(ast: Ast, lists: Lists, out: ListLookup[]): void {
  if (ast.kind === "unary") gather(ast.operand, lists, out);
  else if (ast.kind === "call") {
    const list = ast.args.map((arg) => listOf(arg, lists)).find((found) => found !== undefined);
    const own = ast.args[0]?.kind === "path" && ast.args[0].segments[0]?.name === "self";
    const met = list && metByCall(ast.name, list, own);
    if (list !== undefined && met !== undefined) out.push({ list, met });
    for (const arg of ast.args) gather(arg, lists, out);
  } else if (ast.kind === "binary") {
    const list = ast.operator === "in" ? listOf(ast.right, lists) : undefined;
    const path = ast.left.kind === "path" ? ast.left.segments.map(({ name }) => name).join(".") : "";
    const read = FIELDS.get(foldName(path))?.read as Read<string> | undefined;
    if (list !== undefined && read !== undefined) out.push({ list, met: (c) => metByText(list, read(c)) });
    gather(ast.left, lists, out);
    gather(ast.right, lists, out);
  }
}

function listOf(ast: Ast, lists: Lists): RuleList | undefined {
  if (ast.kind !== "path" || ast.segments[0]?.name !== "lists") return undefined;
  return lists.get(ast.segments[1]?.name ?? "");
}

function metByText(list: RuleList, text: string | undefined): string[] {
  return text !== undefined && list.entries.has(text) ? [text] : [];
}

function metByCall(name: string, list: RuleList, own: boolean): ListLookup["met"] | undefined {
  switch (name) {
    case "in_corridor":
      return (c) =>
        list.corridors
          .filter(({ from, to }) => isOf(from, c.tx?.corridorFrom) && isOf(to, c.tx?.corridorTo))
          .map(({ from, to }) => `${from ?? "*"}>${to ?? "*"}`);
    case "has_class":
      return (c) => c.tx?.memoClasses.filter((memo) => list.entries.has(memo)) ?? [];
    case "matches_any":
      return (c) => tokensOf(own ? c.self : c.other).filter((token) => list.entries.has(token));
    default:
      return undefined;
  }
}

function isOf(wanted: string | undefined, country: string | undefined): boolean {
  return wanted === undefined || wanted === country;
}

function tokensOf(side: TxSide | undefined): string[] {
  if (side === undefined) return [];
  const { account, party, card, wallet, merchantId } = side;
  const own = Object.entries({ account, party, card, wallet, merchant: merchantId });
  const all = [...own, ...side.links.map(({ kind, token }) => [kind, token] as const)];
  return all.flatMap(([kind, token]) => (token === undefined ? [] : [token, `${kind}:${token}`]));
}
