/**
 * `palermo replay FILE...`: files in, alerts out, state in memory. The same input, rules and lists give the
 * same bytes on every run; outputs are written in order, with backpressure, between batches of rows.
 */
import { UsageError } from "../base/errors.ts";
import { formatTime } from "../domain/time.ts";
import { mergeFiles } from "../files/merge.ts";
import { writeToStream } from "../files/writer.ts";
import type { Pack } from "../rules/plan.ts";
import type { HitRecord } from "../screen/outputs.ts";
import { type Comparison, createComparison, isSame } from "./compare-alerts.ts";
import type { Listing } from "./listing.ts";
import { createListing, LISTING_ALERTS_MAX } from "./listing.ts";
import { loadRules } from "./load-rules.ts";
import type { Terminal } from "./output.ts";
import { EXIT_OK, EXIT_REJECTED, listingWidth, styleOf } from "./output.ts";
import { createProgress } from "./progress.ts";
import type { Outputs } from "./replay-files.ts";
import { checkPaths, openOutputs } from "./replay-files.ts";
import type { Bounds, Screening, Sink } from "./screening.ts";
import { createScreening } from "./screening.ts";
import type { RunFacts } from "./summary.ts";
import { renderSummary, summaryJson } from "./summary.ts";
import type { Tally } from "./tally.ts";
import { createTally } from "./tally.ts";

/** Options as the command line gives them; times are epoch ms. */
export interface ReplayOptions {
  readonly rules?: string;
  readonly lists?: string;
  readonly tuning?: string;
  readonly parties?: readonly string[];
  readonly mapping?: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly from?: number;
  readonly to?: number;
  readonly cold?: boolean;
  readonly limit?: number;
  readonly alerts?: string;
  readonly shadow?: string;
  readonly hits?: string;
  readonly rejects?: string;
  readonly trace?: string;
  /** File of alerts to hold this run against. */
  readonly compare?: string;
  readonly format?: "auto" | "ndjson" | "text";
  readonly asOf?: number;
  readonly tenant?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Alerts told in full on a terminal; a pipe gets all of them. */
const PAGES_ON_TERMINAL = 25;

/**
 * Screens files and gives the exit code: 0, or 3 when rows were rejected or alerts differ from those compared with.
 * Throws UsageError before anything is read when options, paths, mapping or rules are at fault, and the
 * error of a file that breaks off while it is read.
 */
export async function runReplay(files: readonly string[], options: ReplayOptions, terminal: Terminal): Promise<number> {
  const called = terminal.now();
  const bounds = boundsOf(options);
  const parties = options.parties ?? [];
  const compared = options.compare === undefined ? [] : [options.compare];
  const outputPaths = [options.alerts, options.shadow, options.hits, options.rejects, options.trace].filter(
    (path) => path !== undefined && path !== "-",
  );
  const bytesTotal = checkPaths({ inputs: [...files, ...parties, ...compared], outputs: outputPaths as string[] });
  const { pack, lists, warnings } = loadRules({ ...options, now: options.asOf ?? called });
  if (options.quiet !== true) for (const warning of warnings) terminal.stderr.write(`palermo: ${warning}\n`);
  const asOf = options.asOf ?? called;
  const { rates, vocabulary } = lists;
  const sources = { parties, mapping: options.mapping, rates, vocabulary, asOf, stdin: terminal.stdin };
  const merged = mergeFiles(files, sources);

  const format = formatOf(options, terminal);
  const listing = format === "text" ? createListing() : undefined;
  const outputs = await openOutputs(options, format === "ndjson", terminal);
  const tally = createTally();
  const progress = createProgress(terminal, bytesTotal);
  const started = terminal.now();
  const comparison =
    options.compare === undefined ? undefined : await createComparison(options.compare, terminal.stdin);
  const screening = createScreening(pack, tally, sinkOf(outputs, listing, comparison), bounds);
  try {
    reading: for await (const items of merged) {
      for (const item of items) if (!screening.take(item)) break reading;
      await outputs.flush();
      progress.update(tally.screened, merged.bytesRead);
    }
  } finally {
    progress.clear();
    await outputs.close();
  }
  if (listing !== undefined) await printListing(listing, terminal);
  const facts = factsOf(pack, options, asOf, screening, (terminal.now() - started) / 1000);
  tally.unordered = merged.late;
  const compare = comparison?.result();
  printSummary(tally, { ...facts, compare }, options, terminal);
  return tally.rejected.size === 0 && (compare === undefined || isSame(compare)) ? EXIT_OK : EXIT_REJECTED;
}

function boundsOf(options: ReplayOptions): Bounds {
  const from = options.from ?? Number.NEGATIVE_INFINITY;
  const to = options.to ?? Number.POSITIVE_INFINITY;
  if (from >= to) throw new UsageError("--from is not before --to: no alert could be given");
  if (options.cold === true && options.from === undefined) throw new UsageError("--cold needs --from");
  return { from, to, cold: options.cold === true, limit: options.limit ?? Number.POSITIVE_INFINITY };
}

/** What goes to standard output. A file for the alerts leaves it free, unless a form is asked for by name. */
function formatOf(options: ReplayOptions, terminal: Terminal): "ndjson" | "text" | "nothing" {
  const form = options.format ?? "auto";
  if (form === "text") return "text";
  if (options.alerts !== undefined) return "nothing";
  return form === "auto" && terminal.stdout.isTTY === true ? "text" : "ndjson";
}

function sinkOf(outputs: Outputs, listing: Listing | undefined, comparison: Comparison | undefined): Sink {
  const { alerts, shadow, hits, rejects, trace } = outputs;
  return {
    trace: trace && ((line) => trace.write(line)),
    alert(alert) {
      if (shadow !== undefined && alert.status === "shadow") {
        shadow.write(JSON.stringify(alert));
        return;
      }
      comparison?.add(alert);
      listing?.add(alert);
      alerts?.write(JSON.stringify(alert));
    },
    hit(hit) {
      hits?.write(hitLine(hit));
    },
    reject(row) {
      rejects?.write(JSON.stringify(row));
    },
  };
}

/** A hit as a line of JSON; its times as text, like every other time outside. */
function hitLine(hit: HitRecord): string {
  return JSON.stringify({ ...hit, start: formatTime(hit.start), last: formatTime(hit.last) });
}

async function printListing(listing: Listing, terminal: Terminal): Promise<void> {
  const limit = terminal.stdout.isTTY === true ? PAGES_ON_TERMINAL : LISTING_ALERTS_MAX;
  const style = styleOf(terminal.stdout, terminal.env);
  for (const page of listing.pages({ style, width: listingWidth(terminal.stdout) }, limit)) {
    await writeToStream(terminal.stdout, page);
  }
}

function factsOf(
  pack: Pack,
  options: ReplayOptions,
  asOf: number,
  { entities, unknown }: Screening,
  seconds: number,
): RunFacts {
  return {
    packHash: pack.hash,
    rules: pack.rules.length,
    baseCurrency: pack.baseCurrency,
    asOf,
    entities,
    unknown,
    seconds,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    coldFrom: options.cold === true ? options.from : undefined,
  };
}

function printSummary(tally: Tally, facts: RunFacts, options: ReplayOptions, terminal: Terminal): void {
  if (options.json === true) {
    const stream =
      formatOf(options, terminal) === "nothing" && options.alerts !== "-" ? terminal.stdout : terminal.stderr;
    stream.write(`${summaryJson(tally, facts)}\n`);
  } else if (options.quiet !== true) {
    terminal.stderr.write(renderSummary(tally, facts, styleOf(terminal.stderr, terminal.env)));
  }
}
