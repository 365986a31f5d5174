/** Reads metrics of running processes from their endpoints. */
import type { PalermoProcess } from "./palermo-process.ts";

/** Sum of a metric over processes and over all of its labels that are not named. */
export async function metricOf(processes: readonly PalermoProcess[], name: string): Promise<number> {
  const [metric = "", labels = ""] = name.split("{");
  const wanted = labels === "" ? [] : labels.slice(0, -1).split(",");
  let total = 0;
  for (const { log } of processes) {
    const address = /"address":"(http:[^"]+)"/.exec(log())?.[1];
    if (address === undefined) throw new Error("the process did not say where its endpoint is");
    const text = await (await fetch(`${address}/metrics`)).text();
    for (const line of text.split("\n")) {
      const match = /^([a-z_]+)(?:\{([^}]*)\})? (\S+)$/.exec(line);
      if (match?.[1] !== metric) continue;
      const found = (match[2] ?? "").split(",");
      if (wanted.every((label) => found.includes(label))) total += Number(match[3]);
    }
  }
  return total;
}
