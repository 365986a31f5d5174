/**
 * What names mean inside one rule: parameters, filters, aggregates, hit inputs, flow steps. Definitions are
 * resolved when they are first needed, so their order in the file does not matter; one that needs itself is
 * an error.
 */
import { checkMeasured, checkQuotient } from "./aggregates.ts";
import { checkBase, checkPeer } from "./baselines.ts";
import type { Findings } from "./diagnostics.ts";
import { canonical } from "./expression/canonical.ts";
import { checkExpression, type Tell } from "./expression/check.ts";
import { compileTest } from "./expression/compile.ts";
import { type Ast, parse } from "./expression/parser.ts";
import { type Checked, describeType, errorAt } from "./expression/types.ts";
import { raisesByProfile } from "./expression/weight.ts";
import { createEnvironment, type OwnNames } from "./names.ts";
import { checkCompleted, checkPast } from "./past.ts";
import { IN_FILTER, type PackScope, planScope, type RuleScope, type Where } from "./rule-scope.ts";
import type { RuleSource } from "./schema.ts";
import type { AggregateSource } from "./schema-aggregates.ts";
import type { ScalarNode } from "./source.ts";
import { readWindow } from "./window.ts";

/** The scope of a rule whose parameters are resolved: nothing else may be named in those. */
export function createRuleScope(pack: PackScope, source: RuleSource, params: ReadonlyMap<string, Checked>): RuleScope {
  const { findings } = pack;
  const aggregates = new Map<string, Checked>();
  const own = createOwnNames(source, params, aggregates, findings, () => scope);
  const scope: RuleScope = {
    pack,
    rule: { id: source.id.text, crime: source.crime, subject: source.subject, scope: planScope(source.scope) },
    flow: undefined,
    steps: new Map(),
    hits: new Map(),
    families: new Set(),
    used: new Set(),
    parse: (node, text = node.text) => parseNode(node, text, findings),
    checkAst: (ast, node, place) => {
      const tell: Tell = (code, at, message, hint) => findings.add(code, node, message, hint, at);
      return checkExpression(ast, createEnvironment(scope, place, own), tell);
    },
    check: (node, place) => {
      const ast = parseNode(node, node.text, findings);
      return ast === undefined ? errorAt(0, node.text.length) : scope.checkAst(ast, node, place);
    },
    constant: (node, what) => {
      const tree = scope.check(node, IN_FILTER);
      if (tree.kind === "constant") return tree;
      tellVariable(tree, node, what, findings);
      return undefined;
    },
    where: (node) => node && readWhere(scope, node),
    resolveAll: () => {
      for (const [name, filter] of source.filters) {
        const type = own.filter(name)?.type;
        if (type === undefined || type.name === "bool" || type.name === "error") continue;
        findings.add("E027", filter.expression, `a filter is a truth value, not ${describeType(type)}`);
      }
      for (const name of source.aggregates.keys()) own.aggregate(name);
      for (const name of source.base.keys()) own.base(name);
      for (const name of source.peer.keys()) own.peer(name);
      return aggregates;
    },
  };
  return scope;
}

function tellVariable(tree: Checked, node: ScalarNode, what: string, findings: Findings): void {
  if (tree.kind === "by_segment") {
    const hint = "thresholds may differ by segment; windows, caps and points are one for all";
    findings.add("E090", node, `${what} cannot differ by segment, as the tuning of its parameter wants`, hint);
  } else if (tree.type.name !== "error") findings.add("E027", node, `${what} must be a literal or a parameter`);
}

/** The rule's own definitions, each resolved once; trees of aggregates go to `aggregates`. */
function createOwnNames(
  source: RuleSource,
  params: ReadonlyMap<string, Checked>,
  aggregates: Map<string, Checked>,
  findings: Findings,
  scopeOf: () => RuleScope,
): OwnNames {
  const filters = new Map<string, Checked>();
  const bases = new Map<string, Checked>();
  const peers = new Map<string, Checked>();
  const open = new Set<ScalarNode>();
  /** Resolves a definition that its map of sources names. */
  const once = <T extends { readonly name: ScalarNode }>(
    sources: ReadonlyMap<string, T>,
    name: string,
    done: Map<string, Checked>,
    make: (scope: RuleScope, source: T) => Checked,
  ): Checked | undefined => {
    const found = sources.get(name);
    const known = done.get(name);
    if (found === undefined || known !== undefined) return known;
    if (open.has(found.name)) {
      findings.add("E032", found.name, `\`${name}\` depends on itself`);
      return errorAt(0, 0);
    }
    open.add(found.name);
    const tree = make(scopeOf(), found);
    open.delete(found.name);
    done.set(name, tree);
    return tree;
  };
  return {
    source,
    params,
    filter: (name) => once(source.filters, name, filters, (scope, filter) => scope.check(filter.expression, IN_FILTER)),
    aggregate: (name) => once(source.aggregates, name, aggregates, checkAggregate),
    base: (name) => once(source.base, name, bases, checkBase),
    peer: (name) => once(source.peer, name, peers, checkPeer),
  };
}

function checkAggregate(scope: RuleScope, source: AggregateSource): Checked {
  switch (source.kind) {
    case "quotient":
      return checkQuotient(scope, source);
    case "past":
      return checkPast(scope, source);
    case "completed":
      return checkCompleted(scope, source);
    case "measured": {
      const window = readWindow(scope, source.window, true);
      const over = source.scope === undefined ? scope.rule.scope : planScope(source.scope);
      return checkMeasured(scope, source, { scope: over, window, flow: undefined });
    }
  }
}

function parseNode(node: ScalarNode, text: string, findings: Findings): Ast | undefined {
  const parsed = parse(text);
  if (parsed.ok) return parsed.ast;
  const { message, hint, at, tooLarge } = parsed.fault;
  findings.add(tooLarge === true ? "E030" : "E020", node, message, hint, at);
  return undefined;
}

function readWhere(scope: RuleScope, node: ScalarNode): Where {
  const { findings } = scope.pack;
  const tree = scope.check(node, IN_FILTER);
  if (tree.type.name !== "bool" && tree.type.name !== "error") {
    findings.add("E027", node, `\`where\` is a truth value, not ${describeType(tree.type)}`);
  }
  if (raisesByProfile(tree, true)) {
    const hint = "ask what the customer is not, or lower the score under `scoring.reduce`";
    findings.add("E052", node, "a word of the customer profile may not count towards a hit", hint);
  }
  return { filter: { canonical: canonical(tree), test: compileTest(tree) }, classes: tree.classes };
}
