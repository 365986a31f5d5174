/** Explanations: text with `{expression}` parts that are shown with their units. */
import { compileShown } from "./expression/compile.ts";
import { describeType, unitOf } from "./expression/types.ts";
import type { TemplatePart } from "./plan.ts";
import type { Place, RuleScope } from "./rule-scope.ts";
import type { ScalarNode } from "./source.ts";

const PARTS_MAX = 40;

/** Compiles an explanation; parts at fault are told and left out. */
export function compileTemplate(node: ScalarNode, scope: RuleScope, place: Place): TemplatePart[] {
  const { findings } = scope.pack;
  const { text } = node;
  const parts: TemplatePart[] = [];
  let at = 0;
  while (at < text.length && parts.length <= PARTS_MAX) {
    const open = text.indexOf("{", at);
    const stray = text.indexOf("}", at);
    if (stray !== -1 && (open === -1 || stray < open)) {
      findings.add("E020", node, "`}` without `{`", undefined, stray);
      return parts;
    }
    if (open === -1) break;
    const close = text.indexOf("}", open);
    if (close === -1) {
      findings.add("E020", node, "this `{` is not closed", undefined, open);
      return parts;
    }
    if (open > at) parts.push(text.slice(at, open));
    const part = compilePart(node, open + 1, close, scope, place);
    if (part !== undefined) parts.push(part);
    at = close + 1;
  }
  if (parts.length > PARTS_MAX) findings.add("E015", node, `an explanation has at most ${PARTS_MAX} parts`);
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}

function compilePart(
  node: ScalarNode,
  start: number,
  end: number,
  scope: RuleScope,
  place: Place,
): TemplatePart | undefined {
  // Blanks keep the offsets of the expression those of the whole text, for positions in findings.
  const ast = scope.parse(node, `${" ".repeat(start)}${node.text.slice(start, end)}`);
  if (ast === undefined) return undefined;
  const tree = scope.checkAst(ast, node, place);
  if (tree.type.name === "error") return undefined;
  const unit = unitOf(tree.type);
  if (unit === undefined) {
    scope.pack.findings.add("E027", node, `${describeType(tree.type)} cannot be shown`, undefined, start);
    return undefined;
  }
  return { text: node.text.slice(start, end).trim(), unit, read: compileShown(tree) };
}
