/** The parts of a rule file that say who let it act, and for whom an operator may make exceptions. */
import type { Findings } from "./diagnostics.ts";
import { named } from "./schema-parts.ts";
import { asItems, asMap, asScalar, checkKeys, dayAt, scalarAt } from "./shape.ts";
import type { MapNode, ScalarNode, SourceNode } from "./source.ts";

/** Who wrote the rule, who let it act and from which day, and why it was taken out of force. */
export interface ApprovalSource {
  readonly author: ScalarNode | undefined;
  readonly approvedBy: ScalarNode | undefined;
  readonly effectiveFrom: ScalarNode | undefined;
  /** Epoch ms of that day's start in UTC; undefined when missing or at fault. */
  readonly effectiveFromMs: number | undefined;
  readonly retiredBecause: ScalarNode | undefined;
}

/** A tuple of fields; movements that carry listed values do not make the rule fire. */
export interface ExceptionSource {
  readonly name: ScalarNode;
  readonly fields: readonly ScalarNode[];
}

/** Reads who wrote, approved and retired a rule. */
export function readApproval(root: MapNode, findings: Findings): ApprovalSource {
  const retired = root.byKey.get("retired")?.value;
  const map = retired && asMap(retired, "`retired`", findings);
  if (map !== undefined) checkKeys(map, { because: "required" }, "`retired`", findings);
  const effectiveFromMs = dayAt(root, "effectiveFrom", findings);
  const day = root.byKey.get("effectiveFrom")?.value;
  return {
    author: scalarAt(root, "author", findings),
    approvedBy: scalarAt(root, "approvedBy", findings),
    effectiveFrom: day?.kind === "scalar" && effectiveFromMs !== undefined ? day : undefined,
    effectiveFromMs,
    retiredBecause: map && scalarAt(map, "because", findings),
  };
}

const EXCEPTION_FIELDS_MAX = 4;

/** Reads `exceptions`. */
export function readExceptions(node: SourceNode | undefined, findings: Findings): Map<string, ExceptionSource> {
  const out = new Map<string, ExceptionSource>();
  for (const { name, value } of named(node, "exceptions", findings)) {
    const map = asMap(value, `the exception \`${name.text}\``, findings);
    if (map === undefined) continue;
    checkKeys(map, { fields: "required" }, `the exception \`${name.text}\``, findings);
    const list = map.byKey.get("fields")?.value;
    const fields: ScalarNode[] = [];
    for (const item of list === undefined ? [] : asItems(list, "`fields`", findings, true)) {
      const field = asScalar(item, "a field", findings);
      if (field !== undefined) fields.push(field);
    }
    if (fields.length > EXCEPTION_FIELDS_MAX) {
      findings.add("E015", map, `an exception has at most ${EXCEPTION_FIELDS_MAX} fields`);
    } else if (fields.length > 0) out.set(name.text, { name, fields });
  }
  return out;
}
