/**
 * Taking partitions over: claim, find out where to go on, or begin anew when the store has no position. A rebuild
 * replays the whole log of views and is silent up to the position that the group knows as published, so what was
 * sent is not sent again and what still waited in a lost outbox is made anew.
 */
import { type Claim, type Position, StoreError } from "../store/port.ts";
import type { PartitionRange } from "./bus.ts";
import { planReading } from "./positions.ts";
import type { HaltCode, ScreenDeps } from "./screen-ports.ts";

/** How one partition goes on. */
export type TakeOver =
  | {
      readonly kind: "start";
      readonly partition: number;
      readonly owner: string;
      readonly claim: Claim;
      readonly position: Position;
      /** Where to begin reading: the position, or one before it to compare its fingerprint. */
      readonly readFrom: bigint;
      readonly mutedTo: bigint;
      readonly rebuilt: boolean;
      /** What the log had at its end. */
      readonly high: bigint;
    }
  | { readonly kind: "halt"; readonly partition: number; readonly code: HaltCode; readonly message: string }
  /** Another worker was faster: ask the group, then try again. */
  | { readonly kind: "fenced"; readonly partition: number };

/** Claims partitions and plans their reading. Throws StoreError and BusError: the caller waits and calls again. */
export async function takeOver(deps: ScreenDeps, partitions: readonly number[]): Promise<TakeOver[]> {
  const claims = await Promise.all(partitions.map((partition) => claimOne(deps, partition)));
  // Asked for after the claims: a former owner may have moved a position up to them.
  const topic = deps.topics.views.name;
  const ranges = new Map((await deps.admin.ranges(topic)).map((range) => [range.partition, range]));
  const isMissing = claims.some((found) => found.kind === "claimed" && found.claim.position === undefined);
  const published = isMissing ? await deps.admin.groupOffsets(deps.config.group, topic) : [];
  return Promise.all(
    claims.map((found) => {
      if (found.kind === "halt") return found;
      const range = ranges.get(found.partition);
      if (range === undefined) throw new StoreError(`${topic} has no partition ${found.partition}`, true);
      if (found.claim.position !== undefined) return goOn(found, found.claim.position, range);
      const offset = published.find(({ partition }) => partition === found.partition)?.offset;
      return beginAnew(deps, found, range, offset);
    }),
  );
}

const FIRST_RECORDS = 2n;

interface Claimed {
  readonly kind: "claimed";
  readonly partition: number;
  readonly owner: string;
  readonly claim: Claim;
}
type Halt = Extract<TakeOver, { kind: "halt" }>;

async function claimOne(deps: ScreenDeps, partition: number): Promise<Claimed | Halt> {
  const owner = deps.token();
  try {
    return { kind: "claimed", partition, owner, claim: await deps.store.claim(partition, owner) };
  } catch (error) {
    if (!(error instanceof StoreError) || error.retriable) throw error;
    return { kind: "halt", partition, code: "STORE_REFUSED", message: error.message };
  }
}

function goOn({ partition, owner, claim }: Claimed, position: Position, range: PartitionRange): TakeOver {
  const plan = planReading(position, range);
  if (plan.kind === "changed") return { kind: "halt", partition, code: "LOG_CHANGED", message: plan.why };
  // A position with nothing before it, as a rebuild creates it, has nothing to compare.
  const readFrom = position.fingerprint === 0 ? position.next : plan.from;
  const high = range.high;
  return { kind: "start", partition, owner, claim, position, readFrom, mutedTo: 0n, rebuilt: false, high };
}

async function beginAnew(
  deps: ScreenDeps,
  { partition, owner, claim }: Claimed,
  range: PartitionRange,
  published: bigint | undefined,
): Promise<TakeOver> {
  const position = { next: range.low, fingerprint: 0 };
  if (!(await deps.store.init(partition, owner, position))) return { kind: "fenced", partition };
  const fresh = { ...claim, position, pack: undefined, seen: [], waiting: { alerts: 0, marks: 0 } };
  const mutedTo = published ?? 0n;
  const common = { partition, owner, claim: fresh, position, readFrom: range.low, high: range.high };
  // A log that the group has not read yet begins with the record of the first pack, or of two that came together.
  const read = published === undefined ? FIRST_RECORDS : 0n;
  return { kind: "start", ...common, mutedTo, rebuilt: range.high - range.low > read };
}
