/** How one run is set up: everything is drawn from the seed, and each run leaves some kinds of trouble out. */
import type { NetworkFaults } from "./network.ts";
import type { WaitFaults } from "./process.ts";
import type { Random } from "./random.ts";

/** A process runs intake, screening, or both. */
export type Role = "intake" | "screen" | "both";

export interface Plan {
  /**
   * The real engine over the pack, without or with marks along money, or one that only counts: its runs cost little,
   * so more of them fit.
   */
  readonly engine: "rules" | "marks" | "tally";
  /** Another pack takes force in mid-run. */
  readonly reload: boolean;
  readonly messages: number;
  readonly inputs: number;
  readonly views: number;
  readonly alerts: number;
  readonly roles: readonly Role[];
  readonly batchViews: number;
  readonly batchBytes: number;
  readonly commitEntities: number;
  readonly commitMs: number;
  readonly cacheBytes: number;
  readonly laneLimit: number;
  readonly fetchRecords: number;
  readonly waits: WaitFaults;
  readonly kafka: NetworkFaults;
  readonly redis: NetworkFaults;
  /** Percent of batches that are handed over again although they were taken. */
  readonly redelivered: number;
  /** Kinds of trouble that befall the cluster, drawn from at each turn. */
  readonly troubles: readonly Trouble[];
  /** Virtual ms between two of them, on average. */
  readonly troubleEveryMs: number;
  /** Virtual ms during which things go wrong. */
  readonly troubledMs: number;
}

export const TROUBLES = [
  "crash",
  "freeze",
  "stop",
  "join",
  "leave",
  "expel",
  "failover",
  "flush",
  "link",
  "refuse",
  "block",
] as const;
export type Trouble = (typeof TROUBLES)[number];

export function drawPlan(random: Random): Plan {
  const some = (most: number): number => (random.chance(30) ? 0 : random.between(0, most));
  const roles: Role[] = random.chance(30)
    ? ["both", "both"]
    : [...Array<Role>(1 + random.below(2)).fill("intake"), ...Array<Role>(1 + random.below(3)).fill("screen")];
  // A mark may make many more: few movements go a long way.
  const engine = random.chance(4) ? "marks" : random.chance(35) ? "rules" : "tally";
  return {
    engine,
    reload: random.chance(25),
    messages: engine === "marks" ? 10 + random.below(15) : 20 + random.below(60),
    inputs: 1 + random.below(3),
    views: 1 + random.below(4),
    alerts: 1 + random.below(2),
    roles,
    batchViews: random.pick([4, 16, 64, 1_024]),
    batchBytes: random.pick([2_000, 262_144]),
    commitEntities: 1 + random.below(12),
    commitMs: random.pick([0, 5, 50]),
    cacheBytes: random.pick([0, 4_000, 1 << 20]),
    laneLimit: random.pick([4, 20, 10_000]),
    fetchRecords: random.pick([1, 3, 10, 50]),
    waits: { crash: random.chance(10) ? 0 : random.between(0.5, 8), freeze: some(0.25) },
    kafka: { lost: some(3), unanswered: some(3), late: some(2) },
    redis: { lost: some(3), unanswered: some(3), late: some(2) },
    redelivered: some(10),
    troubles: TROUBLES.filter(() => random.chance(60)),
    troubleEveryMs: random.pick([50, 200, 800]),
    troubledMs: random.pick([3_000, 8_000]),
  };
}
