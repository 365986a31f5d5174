/** Packed forms of what is kept by rule: episodes, cells of flows, alert episodes. */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import { indexIn, oneOf } from "../domain/codec-parts.ts";
import { SEVERITIES } from "../domain/vocabulary.ts";
import { read32, readTime, type TextList, type TextTable, write32, writeTime } from "./codec-texts.ts";
import type { AlertState, Episode, FlowState, RuleState } from "./state.ts";

const HAS_PREVIOUS = 1;
const HAS_SUPERSEDED_BY = 2;
const HAS_SAID = 4;
const HAS_PAYER = 8;

/** Appends the own hits of one indicator; `origin` is finite. */
export function encodeRule(writer: ByteWriter, rule: RuleState, origin: number): void {
  writer.u8(rule.running ? 1 : 0);
  writeTime(writer, rule.toldAt, origin);
  writer.varint(rule.episodes.length);
  for (const episode of rule.episodes) {
    writeTime(writer, episode.start, origin);
    writeTime(writer, episode.last, episode.start);
    writer.text(episode.txId);
  }
}

export function decodeRule(reader: ByteReader, origin: number): RuleState {
  const running = reader.u8() === 1;
  const toldAt = readTime(reader, origin);
  const episodes: Episode[] = [];
  for (let left = reader.count(5); left > 0; left -= 1) {
    const start = readTime(reader, origin);
    episodes.push({ start, last: readTime(reader, start), txId: reader.text() });
  }
  return { episodes, running, toldAt };
}

/** Appends the cells of one flow. */
export function encodeFlow(writer: ByteWriter, flow: FlowState, origin: number): void {
  writer.u8(flow.done ? 1 : 0);
  writer.varint(flow.armedSeq.length);
  for (let step = 0; step < flow.armedSeq.length; step += 1) {
    // The four arrays have one length: the number of steps.
    writer.zigzag(flow.armedSeq[step] as number);
    writeTime(writer, flow.armedTime[step] as number, origin);
    writeTime(writer, flow.first[step] as number, origin);
    writeTime(writer, flow.last[step] as number, origin);
  }
  writer.varint(flow.completions.length);
  for (const time of flow.completions) writer.zigzag(time - origin);
}

export function decodeFlow(reader: ByteReader, origin: number): FlowState {
  const done = reader.u8() === 1;
  const flow: FlowState = { armedSeq: [], armedTime: [], first: [], last: [], done, completions: [] };
  for (let left = reader.count(7); left > 0; left -= 1) {
    flow.armedSeq.push(reader.zigzag());
    flow.armedTime.push(readTime(reader, origin));
    flow.first.push(readTime(reader, origin));
    flow.last.push(readTime(reader, origin));
  }
  for (let left = reader.count(1); left > 0; left -= 1) flow.completions.push(reader.zigzag() + origin);
  return flow;
}

/** Appends the alert episode of one typology; what it said last only while something can still change it (`open`). */
export function encodeAlert(
  writer: ByteWriter,
  alert: AlertState,
  origin: number,
  texts: TextTable,
  open: boolean,
): void {
  const previous = alert.previous === undefined ? 0 : HAS_PREVIOUS;
  const supersededBy = alert.supersededBy === undefined ? 0 : HAS_SUPERSEDED_BY;
  const payer = alert.payer === undefined ? 0 : HAS_PAYER;
  const said = open ? alert.said : undefined;
  writer.u8(previous | supersededBy | payer | (said === undefined ? 0 : HAS_SAID));
  writer.text(alert.alertId);
  writeTime(writer, alert.start, origin);
  writeTime(writer, alert.last, origin);
  writeTime(writer, alert.asOf, origin);
  writer.u8(indexIn(SEVERITIES, alert.severity));
  writer.zigzag(alert.score);
  for (const names of [alert.families, alert.openedBy, alert.raisedBy]) writeNames(writer, names, texts);
  write32(writer, alert.contentHash);
  if (said !== undefined) writer.text(said);
  if (alert.previous !== undefined) writer.text(alert.previous);
  if (alert.supersededBy !== undefined) writer.text(alert.supersededBy);
  if (alert.payer !== undefined) writer.text(alert.payer);
}

function writeNames(writer: ByteWriter, names: readonly string[], texts: TextTable): void {
  writer.varint(names.length);
  for (const name of names) texts.write(writer, name);
}

function readNames(reader: ByteReader, texts: TextList): string[] {
  const names: string[] = [];
  for (let left = reader.count(1); left > 0; left -= 1) names.push(texts.read(reader));
  return names;
}

export function decodeAlert(reader: ByteReader, origin: number, texts: TextList): AlertState {
  const flags = reader.u8();
  const alertId = reader.text();
  const start = readTime(reader, origin);
  const last = readTime(reader, origin);
  const asOf = readTime(reader, origin);
  const severity = oneOf(reader, SEVERITIES, reader.u8());
  const score = reader.zigzag();
  const families = readNames(reader, texts);
  const openedBy = readNames(reader, texts);
  const raisedBy = readNames(reader, texts);
  return {
    alertId,
    start,
    last,
    severity,
    score,
    families,
    openedBy,
    raisedBy,
    asOf,
    contentHash: read32(reader),
    said: flags & HAS_SAID ? reader.text() : undefined,
    previous: flags & HAS_PREVIOUS ? reader.text() : undefined,
    supersededBy: flags & HAS_SUPERSEDED_BY ? reader.text() : undefined,
    payer: flags & HAS_PAYER ? reader.text() : undefined,
  };
}
