import { describe, expect, it } from "vitest";
import { loadPack } from "../../src/rules/load.ts";
import { formatPeerFile, type PeerNumber } from "../../src/rules/peers.ts";

/** What is told of a file of base lines with these numbers. */
function findingsOf(numbers: readonly PeerNumber[]): string[] {
  const text = formatPeerFile({ id: "peers", asOf: 0, currency: "EUR", group: "product", numbers });
  return loadPack([{ path: "rules/peers/peers.yaml", text }]).diagnostics.map(
    ({ code, message }) => `${code} ${message}`,
  );
}

const NUMBER = { rule: "HT-A-01", name: "usual", unit: "money", definition: "00000000" } as const;

describe("a file of base lines", () => {
  it("is read as it was written, with groups and without a single one that is large enough", () => {
    const group = { name: 'a "b": c', entities: 10, percentiles: new Map([[95, 12_345]]) };
    expect(findingsOf([{ ...NUMBER, groups: [group] }])).toEqual([]);
    expect(findingsOf([{ ...NUMBER, groups: [] }])).toEqual([]);
  });

  it("tells of a group that is too small", () => {
    const group = { name: "few", entities: 9, percentiles: new Map([[95, 1]]) };
    expect(findingsOf([{ ...NUMBER, groups: [group] }])).toEqual([expect.stringContaining("E064 a group holds")]);
  });
});
