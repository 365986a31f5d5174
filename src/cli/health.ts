/** What `/readyz` of the service checks: that it runs and joined, and that every partition with lag moves. */
import type { Check } from "../http/server.ts";
import type { IntakeWorker } from "../stream/intake-ports.ts";
import type { ScreenWorker } from "../stream/screen-worker.ts";

export interface Health {
  checks(): Check[];
  intake(worker: Pick<IntakeWorker, "joined" | "lanes">): void;
  screen(worker: Pick<ScreenWorker, "status">, joined: () => boolean): void;
  packs(packs: { check(): Check }): void;
  started(): void;
  stopping(): void;
  failed(reason: string): void;
}

/** `stalledMs`: a partition with lag that has not moved for so long is a fault. */
export function createHealth(stalledMs: number, now: () => number): Health {
  let phase = "starting";
  let intake: Pick<IntakeWorker, "joined" | "lanes"> | undefined;
  let screen: { worker: Pick<ScreenWorker, "status">; joined: () => boolean } | undefined;
  let packs: { check(): Check } | undefined;
  const seen = new Map<number, { next: bigint; at: number }>();

  const intakeChecks = (worker: Pick<IntakeWorker, "joined" | "lanes">): Check[] => {
    const lanes = worker.lanes();
    const name = (lane: (typeof lanes)[number]): string => `${lane.topic}:${lane.partition}`;
    const halted = lanes.filter((lane) => lane.halted).map(name);
    const isStalled = (lane: (typeof lanes)[number]): boolean =>
      lane.lag > 0 && !lane.held && !lane.halted && now() - lane.movedAt > stalledMs;
    const stalled = lanes.filter(isStalled).map(name);
    return [
      check("intake.joined", worker.joined, worker.joined ? `${lanes.length} partitions` : "not in its group"),
      check("intake.halted", halted.length === 0, listed(halted, "stand still until an operator acts")),
      check("intake.progress", stalled.length === 0, listed(stalled, "have lag and do not move")),
    ];
  };

  const screenChecks = (worker: Pick<ScreenWorker, "status">, joined: boolean): Check[] => {
    const status = worker.status();
    const halted = status.filter((at) => at.state === "halted").map((at) => String(at.partition));
    const stalled: string[] = [];
    for (const { partition, next, high, state } of status) {
      const before = seen.get(partition);
      if (before === undefined || before.next !== next || next >= high) seen.set(partition, { next, at: now() });
      else if (state !== "halted" && now() - before.at > stalledMs) stalled.push(String(partition));
    }
    return [
      check("screen.joined", joined, joined ? `${status.length} partitions` : "not in its group"),
      check("screen.halted", halted.length === 0, listed(halted, "stand still until an operator acts")),
      check("screen.progress", stalled.length === 0, listed(stalled, "have lag and do not move")),
    ];
  };

  return {
    checks: () => [
      check("phase", phase === "running", phase),
      ...(packs ? [packs.check()] : []),
      ...(intake ? intakeChecks(intake) : []),
      ...(screen ? screenChecks(screen.worker, screen.joined()) : []),
    ],
    intake(worker) {
      intake = worker;
    },
    screen(worker, joined) {
      screen = { worker, joined };
    },
    packs(of) {
      packs = of;
    },
    started() {
      if (phase === "starting") phase = "running";
    },
    stopping() {
      if (!phase.startsWith("failed")) phase = "stopping";
    },
    failed(reason) {
      phase = `failed: ${reason}`;
    },
  };
}

function check(name: string, ok: boolean, detail: string): Check {
  return { name, ok, detail };
}

function listed(partitions: readonly string[], what: string): string {
  return partitions.length === 0 ? "none" : `${partitions.join(", ")} ${what}`;
}
