/**
 * Own base lines: samples of a number at the end of each step of event time, and statistics of them. A sample is a
 * function of what the entity counted until then, so folding again gives it again.
 */
import { mean, medianAbsoluteDeviation, quantileSorted, standardDeviation } from "simple-statistics";
import { changeable, NONE } from "../base/lists.ts";
import type { Baseline, Sampler } from "../rules/plan-baselines.ts";
import type { JudgeContext } from "./context.ts";
import type { SampleState } from "./state.ts";

/** A normal distribution's standard deviation over its median absolute deviation. */
const NORMAL_OVER_MAD = 1.4826;

/** Samples every step that has ended before `now`, silent ones too. Nothing of the movement at `now` is counted yet. */
export function takeSamples(context: JudgeContext, now: number): void {
  for (const sampler of context.samplers) takeSample(context, sampler, now);
}

function takeSample(context: JudgeContext, sampler: Sampler, now: number): void {
  const { state } = context;
  const ended = Math.floor(now / sampler.stepMs) - 1;
  const kept = state.samples[sampler.index];
  if (kept === undefined) {
    // Nothing has been counted before the first movement.
    state.samples[sampler.index] = { lastStep: ended, values: NONE };
    return;
  }
  if (ended <= kept.lastStep) return;
  const values = changeable(kept.values);
  if (ended - kept.lastStep > sampler.keep) {
    values.length = 0;
    kept.lastStep = ended - sampler.keep;
  }
  const present = context.now;
  for (let step = kept.lastStep + 1; step <= ended; step += 1) {
    context.now = endOf(sampler, step);
    context.touch();
    const full = context.now - sampler.windowMs >= state.since - 1;
    values.push((full ? sampler.read(context) : undefined) ?? Number.NaN);
  }
  context.now = present;
  context.touch();
  kept.lastStep = ended;
  if (values.length > sampler.keep) values.splice(0, values.length - sampler.keep);
  kept.values = values;
}

/** The last millisecond of a step. */
function endOf(sampler: Sampler, step: number): number {
  return (step + 1) * sampler.stepMs - 1;
}

/** The value of a base line at the context's present; undefined while too few samples are known. */
export function baseReading(context: JudgeContext, sampler: Sampler, baseline: Baseline): number | undefined {
  const samples = samplesOf(context.state.samples[sampler.index], sampler, baseline, context.now);
  if (samples.length < baseline.minSamples) return undefined;
  if (baseline.stat === "robust_z") return robustDistance(context, sampler, baseline, samples);
  return Math.max(statistic(baseline.stat, samples), baseline.floor);
}

function samplesOf(state: SampleState | undefined, sampler: Sampler, baseline: Baseline, now: number): number[] {
  const found: number[] = [];
  const until = now - baseline.skipMs;
  state?.values.forEach((value, i) => {
    const end = endOf(sampler, state.lastStep - state.values.length + 1 + i);
    if (!Number.isNaN(value) && end <= until && end > until - baseline.overMs) found.push(value);
  });
  return found.sort((a, b) => a - b);
}

function statistic(stat: Exclude<Baseline["stat"], "robust_z">, sorted: readonly number[]): number {
  const samples = sorted as number[]; // The library changes none of its arguments.
  switch (stat) {
    case "mean":
      return mean(samples);
    case "sd":
      return standardDeviation(samples);
    case "p50":
      return quantileSorted(samples, 0.5);
    case "p95":
      return quantileSorted(samples, 0.95);
    case "mad":
      return medianAbsoluteDeviation(samples);
  }
}

/** Distance of the present value from the median in robust standard deviations; unknown where there is no spread. */
function robustDistance(
  context: JudgeContext,
  sampler: Sampler,
  baseline: Baseline,
  samples: readonly number[],
): number | undefined {
  const value = sampler.read(context);
  const spread = Math.max(NORMAL_OVER_MAD * statistic("mad", samples), baseline.floor);
  return value === undefined || spread <= 0 ? undefined : (value - statistic("p50", samples)) / spread;
}
