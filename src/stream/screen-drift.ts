/**
 * Keeps the views partitions together in event time (drift.ts), so that what one partition derives for
 * another does not come hours late: looks at where the screening worker stands, tells the board, holds back
 * the partitions that are ahead.
 */
import { type DriftBoard, type DriftEntry, DriftGate, type DriftOptions, type SeenEntry } from "./drift.ts";
import type { Clock } from "./screen-ports.ts";
import type { ScreenWorker } from "./screen-worker.ts";

export interface ScreenDrift {
  stop(): Promise<void>;
}

const EVERY_MS = 100;

/** Begins at once. `waiting` is told when the board cannot be reached, `released` of partitions given up on. */
export function startScreenDrift(
  worker: Pick<ScreenWorker, "status" | "hold">,
  partitions: number,
  board: DriftBoard,
  options: DriftOptions,
  clock: Clock,
  tell: { waiting(reason: string): void; released(partitions: number): void },
): ScreenDrift {
  const ending = new AbortController();
  const gate = new DriftGate(options);
  const names = Array.from({ length: partitions }, (_, partition) => String(partition));
  let owned = new Set<string>();
  let released = 0;

  const look = async (): Promise<void> => {
    const status = worker.status();
    const own = new Map<string, DriftEntry>();
    for (const at of status) {
      if (at.state !== "running") continue;
      const entry = { head: at.eventTimeMs, atEnd: at.next >= at.high, progress: Number(at.next) };
      own.set(String(at.partition), entry);
    }
    const gone = [...owned].filter((name) => !own.has(name));
    owned = new Set(own.keys());
    const entries: Map<string, SeenEntry> = await board.exchange(own, gone);
    // A worker that owns nothing knows of nobody to wait for.
    gate.update(own.size === 0 ? [] : names, entries, clock.now());
    const limit = gate.limit(clock.now());
    for (const at of status) worker.hold(at.partition, at.eventTimeMs > limit);
    if (gate.released > released) tell.released(gate.released - released);
    released = gate.released;
  };

  const loop = (async () => {
    while (!ending.signal.aborted) {
      await clock.sleep(EVERY_MS, ending.signal);
      await look().catch((error: unknown) => tell.waiting(error instanceof Error ? error.message : String(error)));
    }
    await board.exchange(new Map(), [...owned]).catch(() => undefined);
  })();

  return {
    async stop() {
      ending.abort();
      await loop;
    },
  };
}
