/**
 * `palermo alerts`: alert records from files or topics, as pages for a person or in their settled form.
 * Reading a topic leaves no trace: nothing is committed, and what arrives after the start is left alone.
 */
import { UsageError } from "../base/errors.ts";
import type { Alert } from "../domain/alert.ts";
import { readAlertFile } from "../files/settled.ts";
import { createStreamWriter, writeToStream } from "../files/writer.ts";
import { createSettler } from "../screen/settled.ts";
import type { Listing } from "./listing.ts";
import { createListing, LISTING_ALERTS_MAX } from "./listing.ts";
import type { Terminal } from "./output.ts";
import { counted, EXIT_OK, listingWidth, styleOf } from "./output.ts";

export interface AlertsOptions {
  readonly settled?: boolean;
  readonly topic?: readonly string[];
  readonly brokers?: string;
  readonly limit?: number;
  readonly brief?: boolean;
}

/**
 * Prints the alerts of all files and topics together. Throws UsageError for a record that is no alert and
 * when there is nothing to read; errors of a broker name its address.
 */
export async function runAlerts(files: readonly string[], options: AlertsOptions, terminal: Terminal): Promise<number> {
  const topics = options.topic ?? [];
  if (files.length === 0 && topics.length === 0) {
    throw new UsageError("nothing to read: name a file of alerts, - for standard input, or --topic NAME");
  }
  const settler = createSettler();
  const listing = createListing();
  const take = (alert: Alert): void => (options.settled === true ? settler : listing).add(alert);
  const stubs = new Set<string>();
  for (const file of files) {
    for await (const alert of readAlertFile(file, terminal.stdin, (id) => stubs.add(id))) take(alert);
  }
  if (topics.length > 0) {
    const { readAlertTopics } = await import("./alerts-topic.ts");
    await readAlertTopics(topics, options.brokers, terminal, { alert: take, stub: (id) => stubs.add(id) });
  }
  if (options.settled === true) await printSettled(settler.lines(), terminal);
  else await printListing(listing, options, terminal);
  if (stubs.size > 0) {
    const stands = counted(stubs.size, "protected alert stands", "protected alerts stand");
    terminal.stderr.write(`${stands} here as a stub only; read the protected topic too.\n`);
  }
  return EXIT_OK;
}

async function printSettled(lines: readonly string[], terminal: Terminal): Promise<void> {
  const writer = createStreamWriter(terminal.stdout);
  for (const line of lines) {
    writer.write(line);
    await writer.flush();
  }
  await writer.close();
}

async function printListing(listing: Listing, options: AlertsOptions, terminal: Terminal): Promise<void> {
  const limit = options.limit ?? LISTING_ALERTS_MAX;
  const form = { style: styleOf(terminal.stdout, terminal.env), width: listingWidth(terminal.stdout) };
  const pages = options.brief === true ? [listing.brief(limit)] : listing.pages(form, limit);
  for (const page of pages) await writeToStream(terminal.stdout, page);
}
