/**
 * Clause coverage: which clauses, filters, scored indicators, reductions and severity bands the tests of a rule
 * decided. A clause counts when it was seen true and seen false; one that was never reached because an earlier
 * clause decided is not seen. Closures of a compiled pack are wrapped, so that what runs is what is measured.
 */
import type { Pack, Test } from "../rules/plan.ts";
import type { RuleSource } from "../rules/schema.ts";
import { partsOf, type RulePart, type RuleParts } from "./clause-places.ts";
import type { Observed } from "./expectations.ts";
import { type PointKind, type Seen, watchPack } from "./watch-pack.ts";

/** One thing that tests should decide. */
export interface CoveragePoint {
  readonly kind: PointKind;
  /** As the file names it, such as `when.people`, `agg.people`, `critical`. */
  readonly name: string;
  /** Its expression, and the line of it; of a severity neither is known. */
  readonly text: string;
  readonly line: number | undefined;
  /** What no test showed. Empty: covered. */
  readonly missing: readonly ("true" | "false" | "reached")[];
}

export interface RuleCoverage {
  readonly ruleId: string;
  readonly file: string;
  readonly covered: number;
  readonly total: number;
  readonly points: readonly CoveragePoint[];
}

export interface Coverage {
  /** Percent of all points, of 100; 100 when there is none. */
  readonly percent: number;
  readonly rules: readonly RuleCoverage[];
}

/** Watches the clauses of a pack while tests run. */
export interface CoverageWatch {
  /** The same pack, watched; may be asked for several builds of one pack. */
  instrument(pack: Pack): Pack;
  /** From here on tests of this rule run: only its own clauses count. */
  begin(ruleId: string): void;
  /** Alerts that a test saw, for the severities. */
  saw(alerts: readonly Observed[]): void;
  report(ruleIds: Iterable<string>): Coverage;
}

/** A watch over the rules of `sources`, which say where each part stands. */
export function createCoverage(sources: readonly RuleSource[]): CoverageWatch {
  const seen = new Map<string, Map<string, Seen>>();
  let current = "";
  const pointOf = (ruleId: string, kind: PointKind, name: string): Seen => {
    const points = seen.get(ruleId) ?? new Map<string, Seen>();
    seen.set(ruleId, points);
    const key = `${kind} ${name}`;
    const point = points.get(key) ?? { kind, name, yes: false, no: false };
    points.set(key, point);
    return point;
  };
  const watched = (ruleId: string, kind: PointKind, name: string, test: Test): Test => {
    const point = pointOf(ruleId, kind, name);
    return (c) => {
      const value = test(c);
      if (ruleId === current && value !== undefined) point[value ? "yes" : "no"] = true;
      return value;
    };
  };
  return {
    instrument: (pack) => watchPack(pack, { point: pointOf, watched, current: () => current }),
    begin(ruleId) {
      current = ruleId;
    },
    saw(alerts) {
      for (const { severity } of alerts) {
        const point = severity === undefined ? undefined : seen.get(current)?.get(`severity ${severity}`);
        if (point !== undefined) point.yes = true;
      }
    },
    report(ruleIds) {
      const wanted = new Set(ruleIds);
      const rules = sources.flatMap((rule) => {
        const points = seen.get(rule.id.text);
        if (points === undefined || !wanted.has(rule.id.text)) return [];
        return [ruleCoverage(rule, [...points.values()])];
      });
      const total = rules.reduce((sum, rule) => sum + rule.total, 0);
      const covered = rules.reduce((sum, rule) => sum + rule.covered, 0);
      return { percent: total === 0 ? 100 : (100 * covered) / total, rules };
    },
  };
}

function ruleCoverage(rule: RuleSource, seen: readonly Seen[]): RuleCoverage {
  const parts = partsOf(rule);
  const points = seen.map((point) => coveragePoint(point, parts));
  const covered = points.filter(({ missing }) => missing.length === 0).length;
  return { ruleId: rule.id.text, file: rule.root.source.file, covered, total: points.length, points };
}

function coveragePoint(point: Seen, parts: RuleParts): CoveragePoint {
  const { kind, name, yes, no } = point;
  const part: RulePart | undefined = parts.get(`${kind} ${name}`);
  const missing: CoveragePoint["missing"] =
    kind === "severity" || kind === "cancel"
      ? yes
        ? []
        : ["reached"]
      : [...(yes ? [] : (["true"] as const)), ...(no ? [] : (["false"] as const))];
  return { kind, name, text: part?.text ?? "", line: part?.line, missing };
}
