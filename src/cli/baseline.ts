/**
 * `palermo baseline FILE...`: measures, from recorded data, the numbers that rules hold against groups of customers,
 * and writes them as a file for the folder of the rules. Nothing of a group of fewer than ten is written.
 */
import { UsageError } from "../base/errors.ts";
import { openFileWriter, writeToStream } from "../files/writer.ts";
import { routeTx } from "../intake/route.ts";
import { formatPeerFile, type PeerFile } from "../rules/peers.ts";
import type { PeerGroup } from "../rules/plan-baselines.ts";
import { createEmbedded } from "../screen/embedded.ts";
import { createInspector } from "../workshop/inspect.ts";
import { createPeerMeasure } from "../workshop/peer-measure.ts";
import { loadRules } from "./load-rules.ts";
import { counted, EXIT_OK, type Terminal } from "./output.ts";
import { type RecordedOptions, readRecorded, screenItem } from "./recorded.ts";

export interface BaselineOptions extends RecordedOptions {
  readonly group: PeerGroup;
  /** Id of the file; default: peers_ and the group. */
  readonly id?: string;
  /** File to write; undefined: standard output. */
  readonly out?: string;
}

/** Measures and writes; gives the exit code. Throws UsageError when no rule asks for this group. */
export async function runBaseline(
  files: readonly string[],
  options: BaselineOptions,
  terminal: Terminal,
): Promise<number> {
  const { pack, lists } = loadRules(options);
  const { group, id = `peers_${group}` } = options;
  const measure = createPeerMeasure(pack, group);
  if (measure.inputs.length === 0) {
    throw new UsageError(`no rule in force holds a number against its ${group} (peer: { ..., group: ${group} })`);
  }
  const embedded = createEmbedded(pack, { alert() {}, hit() {}, verdict() {} });
  const inspector = createInspector(embedded);
  await readRecorded(files, options, lists, terminal, (item) => {
    const views = item.decoded.kind === "tx" ? routeTx(item.decoded.tx) : [];
    inspector.before(views);
    screenItem(embedded, item);
    measure.saw(views, inspector);
    return true;
  });
  const file = measure.result(id, pack.baseCurrency);
  if (file === undefined) throw new UsageError("the files have no movement that could be screened");
  await write(formatPeerFile(file), options.out, terminal);
  if (options.json === true) terminal.stderr.write(`${JSON.stringify(summary(file))}\n`);
  else terminal.stderr.write(`${counted(file.numbers.length, "number")} by ${group}: ${groupsText(file)}\n`);
  return EXIT_OK;
}

async function write(text: string, out: string | undefined, terminal: Terminal): Promise<void> {
  if (out === undefined) {
    await writeToStream(terminal.stdout, text);
    return;
  }
  const writer = await openFileWriter(out);
  writer.write(text.trimEnd());
  await writer.close();
}

function summary(file: PeerFile): object {
  const numbers = file.numbers.map(({ rule, name, groups }) => ({
    rule,
    name,
    groups: groups.map((one) => ({ name: one.name, entities: one.entities })),
  }));
  return { schema: "baseline-summary/1", id: file.id, group: file.group, numbers };
}

function groupsText(file: PeerFile): string {
  const groups = new Map(file.numbers.flatMap((number) => number.groups.map((one) => [one.name, one.entities])));
  if (groups.size === 0) return "no group of ten or more customers";
  return [...groups].map(([name, entities]) => `${name} (${entities})`).join(", ");
}
