/**
 * What names mean inside one rule: parameters, filters, aggregates, hit inputs, flow steps. Definitions are
 * resolved when they are first needed, so their order in the file does not matter; one that needs itself is
 * an error.
 */
import { checkMeasured, checkQuotient } from "./aggregates.ts";
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
import type { ScalarNode } from "./source.ts";
import { readWindow } from "./window.ts";

/** The scope of a rule whose parameters are resolved: nothing else may be named in those. */
export function createRuleScope(pack: PackScope, source: RuleSource, params: ReadonlyMap<string, Checked>): RuleScope {
  const { findings } = pack;
  const filters = new Map<string, Checked>();
  const aggregates = new Map<string, Checked>();
  const open = new Set<string>();
  const once = (
    key: string,
    name: string,
    at: ScalarNode,
    done: Map<string, Checked>,
    make: () => Checked,
  ): Checked => {
    const known = done.get(name);
    if (known !== undefined) return known;
    if (open.has(key)) {
      findings.add("E032", at, `\`${name}\` depends on itself`);
      return errorAt(0, 0);
    }
    open.add(key);
    const tree = make();
    open.delete(key);
    done.set(name, tree);
    return tree;
  };
  const own: OwnNames = {
    source,
    params,
    filter: (name) => {
      const filter = source.filters.get(name);
      if (filter === undefined) return undefined;
      return once(`filter ${name}`, name, filter.name, filters, () => scope.check(filter.expression, IN_FILTER));
    },
    aggregate: (name) => {
      const aggregate = source.aggregates.get(name);
      if (aggregate === undefined) return undefined;
      return once(`aggregate ${name}`, name, aggregate.name, aggregates, () => {
        if (aggregate.kind === "quotient") return checkQuotient(scope, aggregate);
        if (aggregate.kind === "past") return checkPast(scope, aggregate);
        if (aggregate.kind === "completed") return checkCompleted(scope, aggregate);
        const window = readWindow(scope, aggregate.window, true);
        const over = aggregate.scope === undefined ? scope.rule.scope : planScope(aggregate.scope);
        return checkMeasured(scope, aggregate, { scope: over, window, flow: undefined });
      });
    },
  };
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
