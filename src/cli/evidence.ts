/**
 * `palermo evidence ALERT FILE...`: every transaction behind each number of an alert, from recorded data, and
 * whether the number follows from them. Exit 0: all do, 3: some number differs.
 */
import { UsageError } from "../base/errors.ts";
import type { Alert } from "../domain/alert.ts";
import { tokenOf } from "../domain/entity.ts";
import { toDecimal } from "../domain/money.ts";
import { formatTime } from "../domain/time.ts";
import { readAlertFile } from "../files/settled.ts";
import { routeTx } from "../intake/route.ts";
import { createEmbedded } from "../screen/embedded.ts";
import { type CheckedNumber, createEvidenceCheck } from "../workshop/evidence-check.ts";
import { createInspector } from "../workshop/inspect.ts";
import { loadRules } from "./load-rules.ts";
import { counted, EXIT_OK, EXIT_REJECTED, printable, type Style, styleOf, type Terminal } from "./output.ts";
import { type RecordedOptions, readRecorded, screenItem } from "./recorded.ts";

export interface EvidenceOptions extends RecordedOptions {
  /** File of alerts; then ALERT is the id of one in it. */
  readonly alerts?: string;
}

/** Checks one alert and gives the exit code. Throws UsageError when there is no such alert. */
export async function runEvidence(
  args: readonly string[],
  options: EvidenceOptions,
  terminal: Terminal,
): Promise<number> {
  const [which = "", ...files] = args;
  if (files.length === 0) throw new UsageError("no file of transactions is named: palermo evidence ALERT FILE...");
  const alert = await findAlert(which, options.alerts, terminal);
  const { pack, lists } = loadRules({ ...options, tenant: alert.tenant });
  const repeats = new Set<string>();
  const embedded = createEmbedded(pack, {
    alert() {},
    hit() {},
    verdict(view, verdict) {
      if (["duplicate", "conflict", "too_late", "ignored"].includes(verdict)) repeats.add(view.entity);
    },
  });
  const inspector = createInspector(embedded);
  const check = createEvidenceCheck(alert, embedded.engine.pack, inspector);
  await readRecorded(files, options, lists, terminal, (item) => {
    if (item.decoded.kind !== "tx") {
      screenItem(embedded, item);
      return true;
    }
    const { tx } = item.decoded;
    check.before(tx.time);
    if (tx.time > check.until) return false;
    repeats.clear();
    const views = routeTx(tx);
    inspector.before(views);
    screenItem(embedded, item);
    check.after(views, (entity) => !repeats.has(entity));
    return true;
  });
  check.before(Number.POSITIVE_INFINITY);
  const numbers = check.finish();
  const samePack = pack.hash === alert.packHash;
  const base = pack.baseCurrency;
  if (options.json === true) terminal.stdout.write(`${JSON.stringify(asJson(alert, samePack, numbers, base))}\n`);
  else terminal.stdout.write(asText(alert, samePack, numbers, base, styleOf(terminal.stdout, terminal.env)));
  return numbers.some(({ verdict }) => verdict === "different") ? EXIT_REJECTED : EXIT_OK;
}

/** The last revision of one alert: by its id in `alerts`, or the only one of the file `which`. */
async function findAlert(which: string, alerts: string | undefined, terminal: Terminal): Promise<Alert> {
  const found = new Map<string, Alert>();
  for await (const alert of readAlertFile(alerts ?? which, terminal.stdin)) {
    const known = found.get(alert.alertId);
    if (alerts !== undefined && alert.alertId !== which) continue;
    if (known === undefined || alert.revision >= known.revision) found.set(alert.alertId, alert);
  }
  const [first, second] = found.values();
  if (first === undefined) {
    throw new UsageError(alerts === undefined ? `${which}: no alert in it` : `${alerts}: no alert has the id ${which}`);
  }
  if (second !== undefined) {
    const hint = `name one: palermo evidence ${first.alertId} FILE... --alerts ${which}`;
    throw new UsageError(`${which}: ${counted(found.size, "alert")} in it; ${hint}`);
  }
  return first;
}

function asJson(alert: Alert, samePack: boolean, numbers: readonly CheckedNumber[], base: string): object {
  return {
    schema: "evidence/1",
    alertId: alert.alertId,
    revision: alert.revision,
    samePack,
    numbers: numbers.map(({ ruleId, entity, evidence, verdict, recomputed, transactions }) => ({
      ruleId,
      entity,
      measure: evidence.measure,
      from: evidence.from,
      to: evidence.to,
      exact: evidence.exact,
      observed: evidence.observed,
      ...(recomputed === undefined ? {} : { recomputed }),
      verdict,
      transactions: transactions.map(({ txId, time, amount }) => ({
        txId,
        at: formatTime(time),
        ...(Number.isNaN(amount) ? {} : { amount: toDecimal(amount, base) }),
      })),
    })),
  };
}

function asText(
  alert: Alert,
  samePack: boolean,
  numbers: readonly CheckedNumber[],
  base: string,
  style: Style,
): string {
  const { typology, subject } = alert;
  const what = `${typology.id} on ${subject.kind} ${printable(subject.token)}`;
  const lines = [`${style.bold(alert.alertId)} revision ${alert.revision}: ${what}`];
  if (!samePack) lines.push(style.yellow("The alert was made by other rules or lists than those used here."));
  for (const caution of alert.cautions) lines.push(`caution: ${printable(caution)}`);
  lines.push(alert.handling.note);
  for (const number of numbers) lines.push("", ...numberLines(number, base, style));
  const different = numbers.filter(({ verdict }) => verdict === "different").length;
  const summary =
    different === 0 ? style.green("no number differs") : style.red(`${counted(different, "number")} differ`);
  lines.push("", `${counted(numbers.length, "number")}: ${summary}`);
  return `${lines.join("\n")}\n`;
}

const VERDICTS = {
  equal: "follows from these transactions",
  different: "DOES NOT follow from the recorded data",
  no_transactions: "rests on hits or on the movement itself",
  not_computed: "is not computed again here",
} as const;

function numberLines(number: CheckedNumber, base: string, style: Style): string[] {
  const { ruleId, entity, evidence, verdict, recomputed, transactions } = number;
  const exact = evidence.exact ? "" : ", not exact: the oldest bucket counts whole";
  const again = verdict === "different" ? `; computed again: ${recomputed ?? "nothing"}` : "";
  const text = VERDICTS[verdict];
  return [
    `${ruleId} on ${printable(tokenOf(entity))}: ${printable(evidence.measure)} = ${printable(evidence.observed)}`,
    `  after ${evidence.from} to ${evidence.to}${exact}`,
    `  ${verdict === "different" ? style.red(text) : text}${again}`,
    ...transactions.map(({ txId, time, amount }) => {
      const sum = Number.isNaN(amount) ? "no rate" : `${toDecimal(amount, base)} ${base}`;
      return `    ${formatTime(time)}  ${sum.padStart(16)}  ${printable(txId)}`;
    }),
  ];
}
