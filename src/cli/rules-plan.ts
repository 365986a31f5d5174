/**
 * `palermo rules plan`: what a pack costs before it runs: rules and the size of their trees -> aggregates -> base
 * measures -> cells and bytes of one entity at the worst, and how far a window may reach too far back. Exit 0: told,
 * 2: the rules are at fault.
 */
import { UsageError } from "../base/errors.ts";
import { readPack } from "../rules/load.ts";
import { type PackCosts, planOf } from "../rules/plan-costs.ts";
import { loadRules } from "./load-rules.ts";
import { EXIT_OK, grouped } from "./output.ts";
import { type Column, layoutTable } from "./table.ts";

export interface RulesPlanArgs {
  readonly dir: string;
  readonly lists?: string | undefined;
  readonly tuning?: string | undefined;
  /** Only this rule, with the aggregates and measures that it reads. */
  readonly rule?: string | undefined;
  readonly json: boolean;
  /** Epoch ms, by which overrides of the tuning hold or have expired. */
  readonly now: number;
}

/** Writes the plan to `out`; returns the exit code. Throws UsageError when rules are at fault or none is named so. */
export function runRulesPlan(args: RulesPlanArgs, out: { write(text: string): unknown }): number {
  const { pack, files } = loadRules({ rules: args.dir, lists: args.lists, tuning: args.tuning, now: args.now });
  const all = planOf(pack, readPack(files).rules);
  const costs = args.rule === undefined ? all : ofRule(all, args.rule, args.dir);
  out.write(args.json ? `${JSON.stringify({ packHash: pack.hash, ...costs })}\n` : describe(costs));
  return EXIT_OK;
}

/** The part of a plan that one rule asks for. What an entity keeps in all is no matter of one rule. */
function ofRule(costs: PackCosts, id: string, dir: string): PackCosts {
  const rules = costs.rules.filter((rule) => rule.id === id);
  if (rules.length === 0) throw new UsageError(`${dir}: no rule ${id} is in force; palermo rules list shows them`);
  const slots = new Set(rules.flatMap((rule) => rule.aggregates.map(({ slot }) => slot)));
  const aggregates = costs.aggregates.filter(({ slot }) => slots.has(slot));
  const read = new Set(aggregates.map(({ measure }) => measure));
  return { rules, aggregates, measures: costs.measures.filter(({ slot }) => read.has(slot)), subjects: [] };
}

function describe(costs: PackCosts): string {
  const names = new Map(costs.aggregates.map(({ slot }) => [slot, `a${slot}`]));
  const parts = [
    table(
      "Rules",
      ["rule", "subject", "clauses#", "nodes#", "aggregates"],
      costs.rules.map(({ id, subject, clauses, nodes, aggregates }) => [
        id,
        subject,
        String(clauses),
        grouped(nodes),
        aggregates.map(({ name, slot }) => `${name} ${names.get(slot) ?? ""}`).join(", "),
      ]),
    ),
    table(
      "Aggregates",
      ["", "function", "window", "measure", "error at most#", "rules"],
      costs.aggregates.map((aggregate) => [
        `a${aggregate.slot}`,
        aggregate.function,
        aggregate.window,
        aggregate.measure === undefined ? "recent movements" : `m${aggregate.measure}`,
        hours(aggregate.errorMs),
        aggregate.usedBy.join(", "),
      ]),
    ),
    table(
      "Base measures",
      ["", "subject", "kind", "aggregates#", "cells#", "bytes#"],
      costs.measures.map(({ slot, subject, kind, aggregates, cells, bytes }) => [
        `m${slot}`,
        subject,
        kind,
        String(aggregates),
        grouped(cells),
        grouped(bytes),
      ]),
    ),
    table(
      "One entity that has everything at its cap",
      ["kind", "rules#", "measures#", "cells#", "bytes of measures#", "bytes in all#"],
      costs.subjects.map(({ kind, rules, measures, cells, bytes, entityBytes }) => [
        kind,
        String(rules),
        String(measures),
        grouped(cells),
        grouped(bytes),
        grouped(entityBytes),
      ]),
    ),
  ];
  return `${parts.flat().join("\n")}\n`;
}

/** A titled table, with a blank line after it; a `#` at the end of a column's title aligns numbers. */
function table(title: string, titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const columns: Column[] = titles.map((text) =>
    text.endsWith("#") ? { title: text.slice(0, -1), align: "right" } : { title: text },
  );
  return [`${title}:`, ...layoutTable(columns, rows).map((line) => `  ${line}`), ""];
}

/** A window's error as hours and minutes; 0 where events are looked at one by one. */
function hours(ms: number): string {
  if (ms === 0) return "0";
  const minutes = Math.ceil(ms / 60_000);
  return minutes < 60 ? `${minutes}m` : `${Math.floor(minutes / 60)}h${minutes % 60 === 0 ? "" : `${minutes % 60}m`}`;
}
