/** Parameters: their values, their ranges, and overrides from outside. */
import type { Findings } from "./diagnostics.ts";
import { checkQuantity } from "./expression/check.ts";
import { compareConstants } from "./expression/exact.ts";
import { type Checked, type Constant, describeType, errorAt } from "./expression/types.ts";
import { parseQuantity } from "./literals.ts";
import type { PackScope } from "./rule-scope.ts";
import type { ParamSource } from "./schema-parts.ts";
import { type ScalarNode, shorten } from "./source.ts";
import { hintFor } from "./suggest.ts";

type ConstantTree = Checked & { kind: "constant" };

/** A value from outside for a parameter of one rule. */
export interface Override {
  /** As written, such as `HT-FUNNEL-02.min_people`. */
  readonly key: string;
  readonly param: string;
  readonly value: string;
  /** The value holds for customers of this segment only. */
  readonly segment?: string;
  /** Where the value stands; undefined for one of the command line, which wins over all others. */
  readonly place?: ScalarNode;
}

/** Where findings about overrides stand. */
export const OVERRIDE_FILE = "--set";

/**
 * The constants of a rule's parameters by name. One at fault is there as an error tree, so that its uses
 * are not told as unknown. Gives the overridden texts too, which the pack hash covers.
 */
export function resolveParams(
  pack: PackScope,
  params: ReadonlyMap<string, ParamSource>,
  overrides: readonly Override[],
): ReadonlyMap<string, Checked> {
  const out = new Map<string, Checked>();
  for (const [name, param] of params) {
    const least = readConstant(pack, param.least);
    const most = readConstant(pack, param.most);
    const value = readConstant(pack, param.value);
    const step = readConstant(pack, param.step);
    checkRange(pack.findings, param, { value, least, most, step });
    const apply = (override: Override): ConstantTree | undefined => applyOverride(pack, override, least, most, value);
    out.set(
      name,
      choose(
        value,
        overrides.filter((override) => override.param === name),
        apply,
      ) ?? errorAt(0, 0),
    );
  }
  for (const override of overrides) {
    if (params.has(override.param)) continue;
    const message = `\`${shorten(override.key)}\`: the rule has no parameter \`${shorten(override.param)}\``;
    pack.findings.addPlain("E070", OVERRIDE_FILE, message, hintFor(override.param, params.keys()));
  }
  return out;
}

/** The value in force: that of the command line for everybody, else that of the tuning, by segment where it says so. */
function choose(
  value: ConstantTree | undefined,
  overrides: readonly Override[],
  apply: (override: Override) => ConstantTree | undefined,
): Checked | undefined {
  const applied = overrides.map((override) => ({ ...override, tree: apply(override) }));
  const general = applied.filter(({ segment }) => segment === undefined);
  const ordered = general.filter(({ place }) => place === undefined);
  const last = ordered.at(-1) ?? general.at(-1);
  const otherwise = last === undefined ? value : last.tree;
  if (otherwise === undefined || ordered.length > 0) return otherwise;
  const bySegment = new Map<string, Constant>();
  for (const { segment, tree } of applied) {
    if (segment !== undefined && tree !== undefined) bySegment.set(segment, tree.value);
  }
  if (bySegment.size === 0) return otherwise;
  const base = { ...otherwise, kind: "by_segment" as const };
  return { ...base, values: bySegment, otherwise: otherwise.value };
}

/** Splits `RULE.param` keys by rule; keys of another form, or of no known rule, are told. */
export function groupOverrides(
  set: Readonly<Record<string, string>>,
  ruleIds: ReadonlySet<string>,
  findings: Findings,
): Map<string, Override[]> {
  const out = new Map<string, Override[]>();
  for (const [key, value] of Object.entries(set)) {
    const dot = key.indexOf(".");
    const rule = key.slice(0, Math.max(0, dot));
    if (dot === -1 || !ruleIds.has(rule)) {
      const word = dot === -1 ? key : rule;
      const hint = hintFor(word, ruleIds) ?? "RULE.param=value, such as HT-FUNNEL-02.min_people=4";
      findings.addPlain("E070", OVERRIDE_FILE, `\`${shorten(key)}\` names no rule`, hint);
      continue;
    }
    const list = out.get(rule) ?? [];
    list.push({ key, param: key.slice(dot + 1), value });
    out.set(rule, list);
  }
  return out;
}

function readConstant(pack: PackScope, node: ScalarNode | undefined): ConstantTree | undefined {
  if (node === undefined) return undefined;
  const quantity = node.quoted ? undefined : parseQuantity(node.text);
  if (quantity === undefined) {
    const hint = "such as 3, 0.5, 3000 EUR, 80%, 72h, 100 km, 22:00 (without quotes)";
    pack.findings.add("E016", node, `\`${shorten(node.text)}\` is no value`, hint);
    return undefined;
  }
  const tree = checkQuantity(quantity, 0, node.text.length, pack, (code, at, message, hint) =>
    pack.findings.add(code, node, message, hint, at),
  );
  return tree.kind === "constant" ? tree : undefined;
}

interface Range {
  readonly value: ConstantTree | undefined;
  readonly least: ConstantTree | undefined;
  readonly most: ConstantTree | undefined;
  readonly step: ConstantTree | undefined;
}

function checkRange(findings: Findings, param: ParamSource, range: Range): void {
  const { value, least, most, step } = range;
  const sameUnit = (of: ConstantTree | undefined, node: ScalarNode | undefined): boolean => {
    if (value === undefined || of === undefined || node === undefined) return true;
    if (of.type.name === value.type.name) return true;
    findings.add("E022", node, `the value is ${describeType(value.type)}, this is ${describeType(of.type)}`);
    return false;
  };
  const checks = [sameUnit(least, param.least), sameUnit(most, param.most), sameUnit(step, param.step)];
  if (checks.includes(false) || param.value === undefined) return;
  if (least && most && param.most && compareConstants(least.value, most.value) > 0) {
    findings.add("E017", param.most, "the greatest value is below the least");
    return;
  }
  if (step && param.step && step.value.numerator <= 0n) findings.add("E017", param.step, "a step is above 0");
  const low = value && least && compareConstants(value.value, least.value) < 0;
  const high = value && most && compareConstants(value.value, most.value) > 0;
  if (low !== true && high !== true) return;
  const bounds = `${param.least?.text} to ${param.most?.text}`;
  findings.add("E017", param.value, `${param.value.text} is outside the range ${bounds}`);
}

function applyOverride(
  pack: PackScope,
  override: Override,
  least: ConstantTree | undefined,
  most: ConstantTree | undefined,
  value: ConstantTree | undefined,
): ConstantTree | undefined {
  const fail = (message: string, hint?: string): undefined => {
    const { place } = override;
    const text = `\`${shorten(override.key)}\`: ${message}`;
    if (place !== undefined) pack.findings.add("E090", place, text, hint);
    else pack.findings.addPlain("E070", OVERRIDE_FILE, text, hint);
    return undefined;
  };
  const quantity = parseQuantity(override.value);
  if (quantity === undefined)
    return fail(`\`${shorten(override.value)}\` is no value`, "such as 3, 80%, 72h, 3000 EUR");
  let fault = "";
  const tree = checkQuantity(quantity, 0, 0, pack, (_code, _at, message) => {
    fault = message;
  });
  if (tree.kind !== "constant") return fail(fault);
  if (value !== undefined && tree.type.name !== value.type.name) {
    return fail(`the parameter is ${describeType(value.type)}, not ${describeType(tree.type)}`);
  }
  const low = least !== undefined && compareConstants(tree.value, least.value) < 0;
  const high = most !== undefined && compareConstants(tree.value, most.value) > 0;
  return low || high ? fail(`${override.value} is outside the range of the parameter`) : tree;
}
