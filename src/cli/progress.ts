/** One line on a terminal that tells how far a replay is; nothing anywhere else. */
import type { Terminal } from "./output.ts";
import { grouped } from "./output.ts";

export interface Progress {
  /** Shows the state of things, at most a few times a second. */
  update(transactions: number, bytesRead: number): void;
  /** Takes the line away. */
  clear(): void;
}

/** Between two drawings: often enough to look alive, seldom enough to cost nothing. */
const REDRAW_MS = 200;

/**
 * Progress on stderr when that is a terminal. `bytesTotal` is the size of the input on disk; undefined when
 * part of it is a pipe, so that no end can be foreseen.
 */
export function createProgress(terminal: Terminal, bytesTotal: number | undefined): Progress {
  if (terminal.stderr.isTTY !== true) return { update() {}, clear() {} };
  const started = terminal.now();
  let drawn = 0;
  return {
    update(transactions, bytesRead) {
      const now = terminal.now();
      if (now - drawn < REDRAW_MS) return;
      drawn = now;
      const line = progressLine(transactions, bytesRead, bytesTotal, now - started, process.memoryUsage.rss());
      terminal.stderr.write(`\r\u001b[K${line.slice(0, (terminal.stderr.columns ?? 80) - 1)}`);
    },
    clear() {
      if (drawn > 0) terminal.stderr.write("\r\u001b[K");
    },
  };
}

/** The text of the line: share read, transactions, rate, time left, memory. */
export function progressLine(
  transactions: number,
  bytesRead: number,
  bytesTotal: number | undefined,
  elapsedMs: number,
  memoryBytes: number,
): string {
  const share = bytesTotal === undefined || bytesTotal === 0 ? undefined : Math.min(1, bytesRead / bytesTotal);
  const parts = [
    ...(share === undefined ? [] : [`${Math.floor(share * 100)} %`]),
    `${grouped(transactions)} transactions`,
    ...(elapsedMs < 1 ? [] : [`${grouped((transactions * 1000) / elapsedMs)}/s`]),
    ...(share === undefined || share < 0.01 ? [] : [`${clock((elapsedMs * (1 - share)) / share)} left`]),
    `${grouped(memoryBytes / 1024 / 1024)} MiB`,
  ];
  return parts.join("  ");
}

function clock(durationMs: number): string {
  const seconds = Math.ceil(durationMs / 1000);
  const minutes = Math.floor(seconds / 60);
  const rest = `${String(minutes % 60).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  return minutes < 60 ? rest : `${Math.floor(minutes / 60)}:${rest}`;
}
