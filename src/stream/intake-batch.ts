/**
 * What one send of intake is made of: the views, kept profiles and rejects of a run of messages, and up to
 * where each input partition is done when all of it is acknowledged.
 */
import { assertNever } from "../base/assert.ts";
import type { Reject, RejectCode } from "../base/errors.ts";
import type { View } from "../domain/view.ts";
import { routeEvent, routeProfile, routeTx } from "../intake/route.ts";
import type { BusRecord, OutRecord } from "./bus.ts";
import type { Head, Lane } from "./intake-lane.ts";
import type { IntakeConfig, IntakeTopics } from "./intake-ports.ts";
import { partitionOf, ViewPacker } from "./record.ts";
import { rejectedOut, rejectedRecord } from "./rejected.ts";

/** Views of one message take at most this much of a record; a message that could exceed it is refused. */
export const MESSAGE_VIEWS_BYTES_MAX = 4 << 20;

export interface Batch {
  readonly views: readonly OutRecord[];
  readonly profiles: readonly OutRecord[];
  readonly rejects: readonly OutRecord[];
  /** The last message of each lane. */
  readonly ends: ReadonlyMap<Lane, BusRecord>;
  readonly messages: number;
}

/** Collects messages until `take`. */
export class BatchBuilder {
  messages = 0;
  private readonly topics: IntakeTopics;
  private readonly config: IntakeConfig;
  private readonly packer: ViewPacker;
  /** Packs one profile at a time for the compacted topic. */
  private readonly profilePacker: ViewPacker;
  private profiles: OutRecord[] = [];
  private rejects: OutRecord[] = [];
  private ends = new Map<Lane, BusRecord>();

  constructor(topics: IntakeTopics, config: IntakeConfig) {
    this.topics = topics;
    this.config = config;
    this.packer = new ViewPacker(topics.views.partitions);
    this.profilePacker = new ViewPacker(topics.profiles.partitions);
  }

  /** Number of a source, for its lane. */
  source(name: string): number {
    this.profilePacker.source(name);
    return this.packer.source(name);
  }

  /** At a limit: it must be taken before another message is added. */
  get full(): boolean {
    const { batchViews, batchBytes } = this.config;
    return this.packer.views >= batchViews || this.packer.bytes >= batchBytes || this.rejects.length >= batchViews;
  }

  /** Adds a message; a reject code when it was refused. */
  add(lane: Lane, head: Head): RejectCode | undefined {
    const { record, decoded } = head;
    this.ends.set(lane, record);
    this.messages++;
    switch (decoded.kind) {
      case "tx":
        return this.addViews(lane, record, routeTx(decoded.tx));
      case "event":
        return this.addViews(lane, record, routeEvent(decoded.event));
      case "profile":
        return this.addProfile(lane, record, routeProfile(decoded.profile));
      case "reject":
        return this.refuse(lane, record, decoded.reject);
      default:
        return assertNever(decoded);
    }
  }

  take(): Batch {
    const { profiles, rejects, ends, messages } = this;
    this.profiles = [];
    this.rejects = [];
    this.ends = new Map();
    this.messages = 0;
    return { views: this.packer.take(), profiles, rejects, ends, messages };
  }

  private addViews(lane: Lane, record: BusRecord, views: readonly View[]): RejectCode | undefined {
    if (views.length * (record.value?.length ?? 0) > MESSAGE_VIEWS_BYTES_MAX) {
      return this.refuse(lane, record, tooManyEntities(views.length));
    }
    const offset = Number(record.offset);
    for (let index = 0; index < views.length; index++)
      this.packer.add(lane.source, offset, index, views[index] as View);
    return undefined;
  }

  /** A profile is told to its entity, and kept in the compacted topic for a rebuild after retention. */
  private addProfile(lane: Lane, record: BusRecord, views: readonly View[]): RejectCode | undefined {
    const refused = this.addViews(lane, record, views);
    if (refused !== undefined) return refused;
    for (const view of views) {
      this.profilePacker.add(lane.source, Number(record.offset), 0, view);
      for (const packed of this.profilePacker.take()) {
        const partition = partitionOf(view.entity, this.topics.profiles.partitions);
        this.profiles.push({ partition, key: view.entity, value: packed.value });
      }
    }
    return undefined;
  }

  private refuse(lane: Lane, record: BusRecord, reject: Reject): RejectCode {
    const { rejected } = this.topics;
    const described = rejectedRecord("intake", lane.at, record, reject, this.config.rejectedBytes);
    this.rejects.push(rejectedOut(described, rejected.partitions));
    return reject.code;
  }
}

function tooManyEntities(count: number): Reject {
  return {
    code: "TOO_LARGE",
    field: "",
    expected: `at most ${MESSAGE_VIEWS_BYTES_MAX} bytes when told to each entity that it names`,
    found: `${count} entities`,
  };
}
