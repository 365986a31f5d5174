/**
 * Holds the alerts of a run against an export, such as one of the topic: both in their settled form, which no order
 * of arrival changes. The pack hash is left out: a pack that says the same in other files gives the same alerts.
 */
import type { Readable } from "node:stream";
import type { Alert } from "../domain/alert.ts";
import { readAlertFile } from "../files/settled.ts";
import { createSettler, type SettledAlert } from "../screen/settled.ts";

/** Ids of alerts; a stub of a protected alert can only be seen to be there. */
export interface ComparedAlerts {
  readonly same: number;
  /** In the export, not in the run. */
  readonly missing: readonly string[];
  /** In the run, not in the export. */
  readonly extra: readonly string[];
  /** In both with other content: the names of the fields that differ. */
  readonly changed: readonly { readonly alertId: string; readonly fields: readonly string[] }[];
}

export interface Comparison {
  /** Takes a record of the run. */
  add(alert: Alert): void;
  result(): ComparedAlerts;
}

/** Reads an export. Throws UsageError for a record that is no alert. */
export async function createComparison(path: string, stdin: Readable): Promise<Comparison> {
  const expected = createSettler();
  const stubs = new Set<string>();
  for await (const alert of readAlertFile(path, stdin, (id) => stubs.add(id))) expected.add(alert);
  const came = createSettler();
  return {
    add: (alert) => came.add(alert),
    result: () => compare(byId(expected.settled()), byId(came.settled()), stubs),
  };
}

/** Whether nothing is missing, extra or changed. */
export function isSame({ missing, extra, changed }: ComparedAlerts): boolean {
  return missing.length === 0 && extra.length === 0 && changed.length === 0;
}

function compare(
  expected: ReadonlyMap<string, SettledAlert>,
  came: ReadonlyMap<string, SettledAlert>,
  stubs: ReadonlySet<string>,
): ComparedAlerts {
  const changed: { alertId: string; fields: string[] }[] = [];
  let same = 0;
  for (const [alertId, alert] of came) {
    const other = expected.get(alertId);
    const fields = other === undefined ? [] : differing(other, alert);
    if (fields.length > 0) changed.push({ alertId, fields });
    else if (other !== undefined || stubs.has(alertId)) same += 1;
  }
  const missing = [...new Set([...expected.keys(), ...stubs])].filter((id) => !came.has(id)).sort();
  const extra = [...came.keys()].filter((id) => !expected.has(id) && !stubs.has(id)).sort();
  return { same, missing, extra, changed };
}

function differing(one: SettledAlert, other: SettledAlert): string[] {
  const left: Record<string, unknown> = { ...one };
  const right: Record<string, unknown> = { ...other };
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].filter((name) => name !== "packHash");
  return names.filter((name) => JSON.stringify(left[name]) !== JSON.stringify(right[name])).sort();
}

function byId(alerts: readonly SettledAlert[]): ReadonlyMap<string, SettledAlert> {
  return new Map(alerts.map((alert) => [alert.alertId, alert]));
}
