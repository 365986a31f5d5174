/**
 * Hot reload: reads the rules folder again, checks and compiles it beside the pack in force, runs its own tests, and
 * only then has it activated. Whatever goes wrong leaves the pack in force as it is and says so.
 */
import { setImmediate as breath } from "node:timers/promises";
import type { Diagnostic } from "../base/errors.ts";
import { UsageError } from "../base/errors.ts";
import type { Pack } from "../rules/plan.ts";
import type { SourceFile } from "../rules/source.ts";
import { inlineTestSteps, type TestResult } from "../workshop/test-runner.ts";
import type { LoadedRules } from "./load-rules.ts";

/** What became of one attempt; the label of its metric. */
export type ReloadResult = "activated" | "unchanged" | "refused" | "tests_failed" | "failed";

/**
 * Why it is attempted. A signal asks for the rules to be in force; a change of files asks only for what is new; time
 * may have ended an override of the tuning, which matters only while these rules are in force.
 */
export type ReloadReason = "signal" | "files" | "time";

export interface ReloadDeps {
  /** Reads and compiles the folder. Throws UsageError with the findings. */
  readonly load: () => LoadedRules;
  /** Throws UsageError when the pack compiles but must not be run here. */
  readonly check: (pack: Pack) => void;
  /** Hash of the pack whose activation is the latest. */
  readonly inForce: () => string | undefined;
  /** Puts it in force; resolves when every partition has its record. */
  readonly activate: (rules: LoadedRules) => Promise<void>;
  /** Hash of the pack that the folder held at the start. */
  readonly first: string;
  /** Told once an attempt. */
  readonly told: (report: ReloadReport) => void;
}

export interface ReloadReport {
  readonly result: ReloadResult;
  readonly reason: ReloadReason;
  /** Of the pack read; undefined when it did not compile. */
  readonly hash: string | undefined;
  readonly message: string;
  readonly findings: readonly Diagnostic[];
  readonly failedTests: readonly TestResult[];
}

export interface Reloader {
  /** Attempts are made one after the other; those that wait are made as one. Never throws. */
  reload(reason: ReloadReason): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export function createReloader(deps: ReloadDeps): Reloader {
  let last = deps.first;
  let running: Promise<void> | undefined;
  let wanted: ReloadReason | undefined;

  const attempt = async (reason: ReloadReason): Promise<Omit<ReloadReport, "reason">> => {
    const rules = deps.load();
    const { hash } = rules.pack;
    const report = (result: ReloadResult, message: string, failedTests: readonly TestResult[] = []) => {
      return { result, hash, message, findings: [], failedTests };
    };
    const before = last;
    if (hash === deps.inForce()) {
      last = hash;
      return report("unchanged", "the rules are in force already");
    }
    if (reason === "time" && before !== deps.inForce()) return report("unchanged", "other rules are in force");
    if (reason !== "signal" && hash === before) return report("unchanged", "the rules say what they said before");
    deps.check(rules.pack);
    const failed = await failedTests(rules.files);
    if (failed.length > 0) return report("tests_failed", `${failed.length} of the rules' own tests fail`, failed);
    await deps.activate(rules);
    last = hash;
    return report("activated", "the rules are in force");
  };
  const run = async (): Promise<void> => {
    for (let reason = wanted; reason !== undefined; reason = wanted) {
      wanted = undefined;
      try {
        deps.told({ reason, ...(await attempt(reason)) });
      } catch (error) {
        const findings = error instanceof UsageError ? error.diagnostics : [];
        const result = error instanceof UsageError ? "refused" : "failed";
        const message = error instanceof Error ? error.message : String(error);
        deps.told({ result, reason, hash: undefined, message, findings, failedTests: [] });
      }
    }
  };
  const start = (): Promise<void> => {
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  };
  return {
    reload(reason) {
      if (wanted !== "signal") wanted = reason;
      return start();
    },
    idle: async () => running,
  };
}

/** Results with problems. Between two rules the streams get their turn. */
async function failedTests(files: readonly SourceFile[]): Promise<TestResult[]> {
  const failed: TestResult[] = [];
  for (const results of inlineTestSteps(files)) {
    failed.push(...results.filter(({ problems }) => problems.length > 0));
    await breath();
  }
  return failed;
}
