/**
 * The settled form of alerts: the last revision of each, withdrawn and merged ones left out, sorted by id, and
 * without the fields that tell how it came about (revision, event, cause, changes). Two runs over the
 * same events agree in this form, whatever the order in which the events arrived.
 */
import { z } from "zod";
import type { Alert } from "../domain/alert.ts";
import { alertSchema } from "../domain/alert.ts";

/** Fields that depend on arrival and are left out of the settled form. */
const EMISSION_FIELDS = ["revision", "event", "cause", "changes"] as const;

/** What bears an alert in the end. */
export type SettledAlert = Omit<Alert, (typeof EMISSION_FIELDS)[number]>;

/** Collects alert records in any order; keeps one record an alert. */
export interface Settler {
  /** Takes one record: of two with the same id the higher revision stays, of equal revisions the later one. */
  add(alert: Alert): void;
  /** Alerts known so far, withdrawn ones included. */
  readonly size: number;
  /** The settled alerts, sorted by id. */
  settled(): SettledAlert[];
  /** The settled alerts as lines of JSON without line ends, keys in the order of the schema. */
  lines(): string[];
}

/** Makes an empty collector. */
export function createSettler(): Settler {
  const last = new Map<string, Alert>();
  const settled = () =>
    [...last.values()]
      .filter(standsInTheEnd)
      .sort((a, b) => (a.alertId < b.alertId ? -1 : a.alertId > b.alertId ? 1 : 0))
      .map(settledForm);
  return {
    add(alert) {
      const known = last.get(alert.alertId);
      if (known === undefined || alert.revision >= known.revision) last.set(alert.alertId, alert);
    },
    get size() {
      return last.size;
    },
    settled,
    lines: () => settled().map((alert) => JSON.stringify(alert)),
  };
}

/** Settles a finished set of records. */
export function settleAlerts(alerts: Iterable<Alert>): SettledAlert[] {
  const settler = createSettler();
  for (const alert of alerts) settler.add(alert);
  return settler.settled();
}

/** Withdrawn alerts, and those that merged into an earlier one of their typology, are what arrival alone made. */
function standsInTheEnd({ event, cause }: Alert): boolean {
  return event !== "withdrawn" && (event !== "superseded" || cause === "supersede");
}

/** One record without its emission fields, keys in the order of the schema at every level. */
export function settledForm(alert: Alert): SettledAlert {
  const kept: Record<string, unknown> = { ...alert };
  for (const field of EMISSION_FIELDS) delete kept[field];
  return inSchemaOrder(alertSchema, kept) as SettledAlert;
}

/** Copies `value` with object keys in the order of `schema`; keys unknown to it follow in text order. */
function inSchemaOrder(schema: unknown, value: unknown): unknown {
  if (schema instanceof z.ZodOptional) return inSchemaOrder(schema.unwrap(), value);
  if (Array.isArray(value)) {
    const element = schema instanceof z.ZodArray ? schema.element : undefined;
    return value.map((item) => inSchemaOrder(element, item));
  }
  if (typeof value !== "object" || value === null) return value;
  const shape: Record<string, unknown> = schema instanceof z.ZodObject ? schema.shape : {};
  const source = value as Record<string, unknown>;
  const unknownKeys = Object.keys(source)
    .filter((key) => !Object.hasOwn(shape, key))
    .sort();
  const ordered: Record<string, unknown> = {};
  for (const key of [...Object.keys(shape), ...unknownKeys]) {
    if (source[key] !== undefined) ordered[key] = inSchemaOrder(shape[key], source[key]);
  }
  return ordered;
}
