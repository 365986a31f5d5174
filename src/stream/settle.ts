/**
 * Carries one commit to its end. "Not now" waits and calls again, for nothing was written. A lost reply is decided
 * by exchanging the owner token: after that no copy of the commit that is still on its way can succeed, so the
 * position that comes back with it is final. Nothing is ever repeated blindly.
 */
import { type Commit, type Position, type StateStore, StoreError } from "../store/port.ts";
import { backoffMs } from "./backoff.ts";
import type { Clock } from "./screen-ports.ts";

export interface SettleDeps {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly token: () => string;
  /** Told before each wait. */
  readonly waiting: (reason: string, retryInMs: number) => void;
  /** The partition was dropped, or the worker stops. */
  readonly ended: () => boolean;
  readonly signal: AbortSignal;
}

/** `lost`: the partition is another's, or its state is gone; the caller drops what it holds. */
export type Settled =
  | { readonly kind: "committed"; readonly owner: string }
  | { readonly kind: "lost"; readonly reason: string }
  | { readonly kind: "ended" };

/** Commits; waits for the store as long as it takes, or until `ended`. */
export async function settle(deps: SettleDeps, commit: Commit): Promise<Settled> {
  let owner = commit.owner;
  for (let attempt = 0; !deps.ended(); attempt++) {
    const result = await deps.store.commit({ ...commit, owner });
    if (result.kind === "committed") return { kind: "committed", owner };
    if (result.kind === "fenced") return { kind: "lost", reason: result.reason };
    if (result.kind === "unknown") {
      const verdict = await decide(deps, { ...commit, owner });
      if (verdict.kind !== "open") return verdict;
      owner = verdict.owner;
    }
    await pause(deps, result.reason, attempt);
  }
  return { kind: "ended" };
}

/** Waits 50 ms to 2 s, growing with the attempt. */
export async function pause(
  deps: Pick<SettleDeps, "clock" | "waiting" | "signal">,
  reason: string,
  attempt: number,
): Promise<void> {
  const retryInMs = backoffMs(attempt, 50, 2_000);
  deps.waiting(reason, retryInMs);
  await deps.clock.sleep(retryInMs, deps.signal);
}

/** Whether a commit whose reply was lost was done; `open`: it was not, and may be called again under the new token. */
async function decide(
  deps: SettleDeps,
  commit: Commit,
): Promise<Settled | { readonly kind: "open"; readonly owner: string }> {
  // The reply of a renewal can be lost too: then either token may be the one that counts.
  const tokens = [commit.owner];
  for (let attempt = 0; !deps.ended(); attempt++) {
    const fresh = deps.token();
    try {
      for (const token of [...tokens]) {
        tokens.push(fresh);
        const claim = await deps.store.renew(commit.partition, token, fresh);
        if (claim === undefined) continue;
        if (same(claim.position, commit.to)) return { kind: "committed", owner: fresh };
        if (same(claim.position, commit.from)) return { kind: "open", owner: fresh };
        return {
          kind: "lost",
          reason: `next is ${claim.position?.next}, neither ${commit.from.next} nor ${commit.to.next}`,
        };
      }
      return { kind: "lost", reason: "owned by another after a lost reply" };
    } catch (error) {
      if (!(error instanceof StoreError && error.retriable)) throw error;
      await pause(deps, error.message, attempt);
    }
  }
  return { kind: "ended" };
}

function same(found: Position | undefined, wanted: Position): boolean {
  return found?.next === wanted.next && found.fingerprint === wanted.fingerprint;
}
