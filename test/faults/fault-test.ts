/**
 * A test of one row of the fault matrix: named by its number, and what it measured is written down for docs/faults.md
 * (scripts/faults.mjs), when that asks for it.
 */
import { appendFileSync } from "node:fs";
import { inject, test } from "vitest";
import { createRunRig, type RigOptions, type RunRig } from "./run-rig.ts";

export interface FaultRow {
  /** Number in the matrix, or a name where it has none. */
  readonly row: string;
  readonly fault: string;
  readonly how: string;
  readonly mustHold: string;
  readonly timeoutMs: number;
}

/** Keeps a measured value under its name. */
export type Measure = (what: string, value: number | string) => void;

/** Of this run; printed with the name of every test, so that a failure can be had again. */
export const SEED = Number(process.env.PALERMO_TEST_SEED ?? Date.now() % 1_000_000);
/** The long form of a row that also runs in short form on every change. */
export const LONG = process.env.PALERMO_TEST_FAULTS === "all";

/** Registers the test. */
export function faultTest(row: FaultRow, work: (measure: Measure) => Promise<void>): void {
  test(`fault ${row.row}: ${row.fault} (seed ${SEED})`, { timeout: row.timeoutMs }, async () => {
    const measured: Record<string, number | string> = {};
    const since = Date.now();
    let result = "failed";
    try {
      await work((what, value) => {
        measured[what] = value;
      });
      result = "held";
    } finally {
      const file = process.env.PALERMO_TEST_FAULTS_FILE;
      const seconds = Math.round((Date.now() - since) / 1_000);
      if (file !== undefined) appendFileSync(file, `${JSON.stringify({ ...row, measured, seconds, result })}\n`);
    }
  });
}

/** A rig on the shared broker and, unless the test has its own, the shared Redis; closed in any case. */
export async function withRig(options: Partial<RigOptions>, work: (rig: RunRig) => Promise<void>): Promise<void> {
  const rig = await createRunRig({ brokers: inject("kafkaBrokers"), redisUrl: inject("redisUrl"), ...options });
  try {
    await work(rig);
  } catch (error) {
    // What the processes said last is the first thing that one wants to see.
    for (const palermo of rig.processes) process.stderr.write(`\n--- palermo\n${palermo.log().slice(-3_000)}\n`);
    throw error;
  } finally {
    await rig.close();
  }
}
