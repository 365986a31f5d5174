/**
 * `palermo explain TX FILE...`: why the rules fired on a movement and why the others did not, from recorded data;
 * with `--subject TOKEN` how near each rule ever came to firing on an account, party, telephone or the like.
 * Shows tokens, numbers and cautions as an alert does, nothing of the records themselves.
 */
import { UsageError } from "../base/errors.ts";
import { type EntityKey, tokenOf } from "../domain/entity.ts";
import { formatTime } from "../domain/time.ts";
import type { EventView, TxView, View } from "../domain/view.ts";
import { routeTx } from "../intake/route.ts";
import { createEmbedded, type Embedded } from "../screen/embedded.ts";
import { createInspector, entitiesAround, type Inspector, type RuleReport } from "../workshop/inspect.ts";
import { loadRules } from "./load-rules.ts";
import { EXIT_OK, listingWidth, styleOf, type Terminal } from "./output.ts";
import { type RecordedOptions, readRecorded, screenItem } from "./recorded.ts";
import { renderReports } from "./render-explain.ts";

export interface ExplainOptions extends RecordedOptions {
  readonly subject?: string;
  /** Only this rule. */
  readonly rule?: string;
  /** Rules too that are not judged on such a movement. */
  readonly all?: boolean;
}

/** A report and the movement at which it was made. */
export interface ExplainedRule extends RuleReport {
  readonly txId: string;
  readonly at: string;
}

const NO_EVENTS = { alert() {}, hit() {}, verdict() {} };

/** Explains one movement, or all rules on one subject; gives the exit code. */
export async function runExplain(
  args: readonly string[],
  options: ExplainOptions,
  terminal: Terminal,
): Promise<number> {
  const { subject } = options;
  const [txId = "", ...rest] = args;
  const files = subject === undefined ? rest : args;
  if (files.length === 0) {
    const usage = subject === undefined ? "palermo explain TX FILE..." : "palermo explain --subject TOKEN FILE...";
    throw new UsageError(`no file of transactions is named: ${usage}`);
  }
  const { pack, lists } = loadRules(options);
  if (options.rule !== undefined && !pack.rules.some(({ id }) => id === options.rule)) {
    throw new UsageError(`no rule in force has the id "${options.rule}"`);
  }
  const embedded = createEmbedded(pack, NO_EVENTS);
  const inspector = createInspector(embedded);
  const watch = subject === undefined ? watchMovement(txId) : watchSubject(subject);
  await readRecorded(files, options, lists, terminal, (item) => {
    const views = item.decoded.kind === "tx" ? routeTx(item.decoded.tx) : [];
    inspector.before(views);
    screenItem(embedded, item);
    return views.length === 0 || watch.saw(views, embedded, inspector);
  });
  const found = watch.reports();
  if (found === undefined) {
    const what = subject === undefined ? `movement "${txId}"` : `movement of "${subject}"`;
    throw new UsageError(`the files have no ${what} that could be screened`);
  }
  const { rule, all = false, json } = options;
  const wanted = found
    .filter((report) => rule === undefined || report.ruleId === rule)
    .filter((report) => all || rule !== undefined || report.outcome !== "not_judged")
    .sort(nearestFirst);
  if (json === true) terminal.stdout.write(`${JSON.stringify({ schema: "explain/1", rules: wanted })}\n`);
  else {
    const form = { style: styleOf(terminal.stdout, terminal.env), width: listingWidth(terminal.stdout) };
    terminal.stdout.write(renderReports(wanted, found.length - wanted.length, form));
  }
  return EXIT_OK;
}

interface Watch {
  /** Told of each movement after it was screened; false when no later one can matter. */
  saw(views: readonly TxView[], embedded: Embedded, inspector: Inspector): boolean;
  /** Undefined: nothing was seen. */
  reports(): readonly ExplainedRule[] | undefined;
}

/** Every rule of every entity that one movement concerns. */
function watchMovement(txId: string): Watch {
  let found: ExplainedRule[] | undefined;
  return {
    saw(views, embedded, inspector) {
      const [first] = views;
      if (first?.txId !== txId) return true;
      const around = entitiesAround(embedded, views).map((entity) => momentOf(entity, first));
      found = [...views, ...around].flatMap((view) => explained(inspector, view));
      return false;
    },
    reports: () => found,
  };
}

/** The nearest that each rule came on the entities of one token. */
function watchSubject(subject: string): Watch {
  const nearest = new Map<string, ExplainedRule>();
  const isSubject = (entity: EntityKey): boolean => entity === subject || tokenOf(entity) === subject;
  return {
    saw(views, embedded, inspector) {
      const [first] = views;
      if (first === undefined) return true;
      const around = entitiesAround(embedded, views).filter(isSubject);
      const own = views.filter((view) => isSubject(view.entity));
      for (const view of [...own, ...around.map((entity) => momentOf(entity, first))]) {
        for (const report of explained(inspector, view)) {
          const key = `${report.entity.kind}|${report.ruleId}`;
          const known = nearest.get(key);
          if (known === undefined || nearestFirst(report, known) < 0) nearest.set(key, report);
        }
      }
      return true;
    },
    reports: () => (nearest.size === 0 ? undefined : [...nearest.values()]),
  };
}

function explained(inspector: Inspector, view: View): ExplainedRule[] {
  return inspector.inspect(view).map((report) => ({ ...report, txId: view.txId, at: formatTime(view.time) }));
}

/** What a movement may have told an entity that it does not name: looked at right after it. */
function momentOf(entity: EntityKey, cause: TxView): EventView {
  const { time, txId } = cause;
  const event = { id: txId, entity, type: "tick" as const, time, device: undefined, country: undefined };
  return { kind: "event", entity, time, txId, hop: 0, source: "", index: 0, event };
}

const OUTCOMES: readonly RuleReport["outcome"][] = ["fired", "quiet", "not_judged"];

/** Fired rules, then by how near they are, then by name. */
function nearestFirst(a: RuleReport, b: RuleReport): number {
  const byOutcome = OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome);
  if (byOutcome !== 0) return byOutcome;
  if (a.closeness !== b.closeness) return b.closeness - a.closeness;
  const [left, right] = [`${a.ruleId}|${a.entity.kind}`, `${b.ruleId}|${b.entity.kind}`];
  return left < right ? -1 : left > right ? 1 : 0;
}
