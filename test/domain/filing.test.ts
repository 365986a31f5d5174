import { describe, expect, it } from "vitest";
import { filingHints } from "../../src/domain/filing.ts";
import { CRIMES } from "../../src/domain/vocabulary.ts";

describe("hints for a report", () => {
  it("are the codes of the crime and the key terms of the advisories that are cited, once each", () => {
    expect(filingHints("human_trafficking", ["FIN-2020-A008", "FATF-2018-HT", "FIN-2020-A008"], false)).toEqual({
      codes: ["FinCEN-SAR 927"],
      keyTerms: ["HUMAN TRAFFICKING FIN-2020-A008"],
    });
    expect(filingHints("human_trafficking", ["FINTRAC-2021-OA001", "FINTRAC-2016-OA003"], false).keyTerms).toEqual([
      "#PROTECT",
    ]);
  });

  it("name no person where a victim is possible", () => {
    expect(filingHints("terrorist_financing", [], false).codes).toEqual(["FinCEN-SAR 701"]);
    for (const crime of CRIMES) expect(filingHints(crime, [], true).codes).not.toContain("FinCEN-SAR 701");
    expect(filingHints("nexus", [], true).codes).toEqual(["FinCEN-SAR 927"]);
  });

  it("know nothing of documents that are none", () => {
    expect(filingHints("child_exploitation", ["", "__proto__", "constructor", "x".repeat(10_000)], false)).toEqual({
      codes: [],
      keyTerms: [],
    });
  });
});
