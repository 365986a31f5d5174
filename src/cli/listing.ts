/**
 * Alerts as a person wants to meet them: each once, as it stood in the end, the most urgent first. Holds a
 * bounded number of alerts in memory, the most urgent ones, and says how many it left out.
 */
import type { Alert } from "../domain/alert.ts";
import { SEVERITIES } from "../domain/vocabulary.ts";
import { counted } from "./output.ts";
import type { RenderOptions } from "./render-alert.ts";
import { renderAlert, renderAlertLine } from "./render-alert.ts";
import { layoutTable } from "./table.ts";

/** Alerts held at most: more than anyone reads one by one, about 100 MiB at their largest usual size. */
export const LISTING_ALERTS_MAX = 2_000;

export interface Listing {
  /** Takes a record; of two of one alert the higher revision stays. */
  add(alert: Alert): void;
  /** Gives the text in pieces, so that a pipe may be slow. At most `limit` alerts are told in full. */
  pages(options: RenderOptions, limit: number): Iterable<string>;
  /** One line an alert, at most `limit`. */
  brief(limit: number): string;
}

/** A listing of nothing. */
export function createListing(): Listing {
  const last = new Map<string, Alert>();
  let dropped = 0;
  const ranked = (): Alert[] => [...last.values()].sort(byUrgency);
  const cut = (): void => {
    for (const alert of ranked().slice(LISTING_ALERTS_MAX)) {
      last.delete(alert.alertId);
      dropped += 1;
    }
  };
  const standing = (): Alert[] => ranked().filter((alert) => alert.event !== "withdrawn");
  return {
    add(alert) {
      const known = last.get(alert.alertId);
      if (known !== undefined && known.revision > alert.revision) return;
      last.set(alert.alertId, alert);
      if (last.size > 2 * LISTING_ALERTS_MAX) cut();
    },
    *pages(options, limit) {
      const alerts = standing();
      for (const alert of alerts.slice(0, limit)) yield `${renderAlert(alert, options)}\n`;
      yield closingLine(alerts.length, Math.min(alerts.length, limit), dropped);
    },
    brief(limit) {
      const alerts = standing();
      const columns = ["severity", "score", "typology", "entity", "newest evidence", "", "alert"];
      const table = layoutTable(
        columns.map((title) => ({ title })),
        alerts.slice(0, limit).map(renderAlertLine),
      );
      const shown = Math.min(alerts.length, limit);
      return `${[...table, closingLine(alerts.length, shown, dropped)].join("\n")}`;
    },
  };
}

/** Most urgent first: severity, score, newest evidence, id. */
function byUrgency(a: Alert, b: Alert): number {
  return (
    SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) ||
    b.score - a.score ||
    compareText(b.updatedAt, a.updatedAt) ||
    compareText(a.alertId, b.alertId)
  );
}

function closingLine(all: number, shown: number, dropped: number): string {
  if (all === 0) return "No alerts.\n";
  const rest = all - shown + dropped;
  if (rest === 0) return `${counted(all, "alert")}.\n`;
  return `${counted(shown, "alert")} shown, the most urgent; ${counted(rest, "more is", "more are")} not shown.\n`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
