/**
 * Files of base lines of peers (`baseline/v1`): percentiles of the numbers that rules hold against groups of customers,
 * measured from recorded data, never live across entities. `palermo baseline` writes them.
 */
import type { Profile } from "../domain/profile.ts";
import type { Findings } from "./diagnostics.ts";
import { parseQuantity, toNumber } from "./literals.ts";
import type { Unit } from "./plan.ts";
import { PEER_GROUPS, type PeerGroup } from "./plan-baselines.ts";
import { asItems, asMap, asScalar, checkKeys, dayAt, integerAt, type Keys, scalarAt, wordAt } from "./shape.ts";
import type { MapNode, SourceNode } from "./source.ts";

/** Percentiles of one number in one grouping: percentile -> group -> value (minor units, ms, metres, plain). */
export interface PeerTable {
  readonly unit: Unit;
  readonly definition: string;
  readonly percentiles: ReadonlyMap<number, ReadonlyMap<string, number>>;
}

/** By `peerKey`. */
export type PeerTables = ReadonlyMap<string, PeerTable>;

/** A file of base lines, ready to be written. */
export interface PeerFile {
  readonly id: string;
  /** Of the data: last event time. */
  readonly asOf: number;
  readonly currency: string;
  readonly group: PeerGroup;
  readonly numbers: readonly PeerNumber[];
}

/** One measured number: groups of fewer than `PEER_GROUP_LEAST` entities are left out by its writer. */
export interface PeerNumber {
  readonly rule: string;
  readonly name: string;
  readonly unit: Unit;
  readonly definition: string;
  readonly groups: readonly {
    readonly name: string;
    readonly entities: number;
    readonly percentiles: ReadonlyMap<number, number>;
  }[];
}

/** A group of fewer entities would tell about single customers. */
export const PEER_GROUP_LEAST = 10;

const UNITS = ["money", "count", "ratio", "duration", "distance"] as const;

export function peerKey(rule: string, name: string, group: PeerGroup): string {
  return `${rule} ${name} by ${group}`;
}

/** The group of an entity, by its profile. */
export function groupOf(profile: Profile | undefined, group: PeerGroup): string | undefined {
  switch (group) {
    case "segment":
      return profile?.segment;
    case "industry":
      return profile?.industry;
    case "occupation_group":
      return profile?.occupationGroup;
    case "product":
      return profile?.product;
  }
}

/** A file of base lines as YAML; the same numbers give the same text. */
export function formatPeerFile(file: PeerFile): string {
  const day = new Date(file.asOf).toISOString().slice(0, 10);
  const head = [
    "schema: baseline/v1",
    `id: ${file.id}`,
    `group: ${file.group}`,
    `asOf: ${day}`,
    `currency: ${file.currency}`,
  ];
  const numbers = file.numbers.flatMap(({ rule, name, unit, definition, groups }) => [
    `  - rule: ${rule}`,
    `    name: ${name}`,
    `    unit: ${unit}`,
    `    definition: "${definition}"`,
    groups.length === 0 ? "    groups: []" : "    groups:",
    ...groups.map((one) => {
      const values = [...one.percentiles].map(([percentile, value]) => `"${percentile}": "${value}"`).join(", ");
      return `      - { name: ${JSON.stringify(one.name)}, entities: ${one.entities}, percentiles: { ${values} } }`;
    }),
  ]);
  return `${[...head, "numbers:", ...numbers].join("\n")}\n`;
}

const FILE_KEYS: Keys = {
  schema: "required",
  id: "required",
  group: "required",
  asOf: "required",
  currency: "required",
  numbers: "required",
};
const NUMBER_KEYS: Keys = {
  rule: "required",
  name: "required",
  unit: "required",
  definition: "required",
  groups: "required",
};
const GROUP_KEYS: Keys = { name: "required", entities: "required", percentiles: "required" };

/** Reads files of base lines; amounts must be in the base currency. */
export function readPeerTables(roots: readonly MapNode[], currency: string, findings: Findings): PeerTables {
  const tables = new Map<string, PeerTable>();
  for (const root of roots) {
    checkKeys(root, FILE_KEYS, "a file of base lines", findings);
    scalarAt(root, "id", findings);
    dayAt(root, "asOf", findings);
    const group = wordAt(root, "group", PEER_GROUPS, findings);
    const stated = scalarAt(root, "currency", findings);
    if (stated !== undefined && stated.text !== currency) {
      findings.add("E064", stated, `these base lines are in ${stated.text}, the rates list is in ${currency}`);
    }
    const numbers = root.byKey.get("numbers")?.value;
    for (const item of numbers === undefined ? [] : asItems(numbers, "`numbers`", findings, false)) {
      const number = readNumber(item, findings);
      if (number === undefined || group === undefined) continue;
      const key = peerKey(number.rule, number.name, group);
      if (tables.has(key)) findings.add("E064", item, `${key} is measured twice`);
      tables.set(key, number.table);
    }
  }
  return tables;
}

function readNumber(
  item: SourceNode,
  findings: Findings,
): { readonly rule: string; readonly name: string; readonly table: PeerTable } | undefined {
  const map = asMap(item, "a number", findings);
  if (map === undefined) return undefined;
  checkKeys(map, NUMBER_KEYS, "a number", findings);
  const rule = scalarAt(map, "rule", findings);
  const name = scalarAt(map, "name", findings);
  const unit = wordAt(map, "unit", UNITS, findings);
  const definition = scalarAt(map, "definition", findings);
  const percentiles = new Map<number, Map<string, number>>();
  const groups = map.byKey.get("groups")?.value;
  for (const entry of groups === undefined ? [] : asItems(groups, "`groups`", findings, false)) {
    readGroup(entry, percentiles, findings);
  }
  if (rule === undefined || name === undefined || unit === undefined || definition === undefined) return undefined;
  return { rule: rule.text, name: name.text, table: { unit, definition: definition.text, percentiles } };
}

function readGroup(entry: SourceNode, percentiles: Map<number, Map<string, number>>, findings: Findings): void {
  const map = asMap(entry, "a group", findings);
  if (map === undefined) return;
  checkKeys(map, GROUP_KEYS, "a group", findings);
  const name = scalarAt(map, "name", findings);
  const entities = integerAt(map, "entities", 0, 1_000_000_000, findings);
  if (entities !== undefined && entities < PEER_GROUP_LEAST) {
    findings.add("E064", map, `a group holds at least ${PEER_GROUP_LEAST} entities, so that it tells of none of them`);
  }
  const values = map.byKey.get("percentiles")?.value;
  const table = values && asMap(values, "`percentiles`", findings);
  for (const { key, value } of table?.entries ?? []) {
    const percentile = Number(key.text);
    const scalar = asScalar(value, "a percentile", findings);
    const quantity = scalar && parseQuantity(scalar.text);
    if (!Number.isInteger(percentile) || percentile < 1 || percentile > 99 || quantity?.unit !== "number") {
      findings.add("E064", key, "a percentile is a whole number from 1 to 99 and its value a plain number");
      continue;
    }
    const byGroup = percentiles.get(percentile) ?? new Map<string, number>();
    percentiles.set(percentile, byGroup);
    if (name !== undefined) byGroup.set(name.text, toNumber(quantity));
  }
}
