import { InvalidArgumentError } from "commander";
import { describe, expect, it } from "vitest";
import { countOption, endTimeOption, gathered, nameOption, settingOption, timeOption } from "../../src/cli/options.ts";
import { printable, wrap } from "../../src/cli/output.ts";
import { layoutTable } from "../../src/cli/table.ts";

describe("options", () => {
  it("reads times; a day is its first instant, and its end as an upper bound", () => {
    expect(timeOption("2026-03-01T08:00:00+01:00")).toBe(Date.parse("2026-03-01T07:00:00Z"));
    expect(timeOption("2026-03-01")).toBe(Date.parse("2026-03-01T00:00:00Z"));
    expect(endTimeOption("2026-03-01")).toBe(Date.parse("2026-03-02T00:00:00Z"));
    expect(endTimeOption("2026-03-01T08:00:00Z")).toBe(Date.parse("2026-03-01T08:00:00Z"));
    for (const text of ["yesterday", "2026-02-30", "2026-03-01T08:00:00", "", "1772352000000"]) {
      expect(() => timeOption(text)).toThrow(InvalidArgumentError);
    }
  });

  it("reads counts", () => {
    expect(countOption(1)("250")).toBe(250);
    for (const text of ["0", "-1", "1e3", "1.5", "", "9".repeat(30)]) expect(() => countOption(1)(text)).toThrow();
  });

  it("reads names", () => {
    expect(nameOption("a bank")).toBe("a bank");
    for (const text of ["", " ", "\t"]) expect(() => nameOption(text)).toThrow(InvalidArgumentError);
  });

  it("gathers settings; the last of two for one parameter holds", () => {
    const first = settingOption("HT-FUNNEL-02.min_people=4");
    const second = settingOption("HT-FUNNEL-02.far=150 km", first);
    expect(settingOption("HT-FUNNEL-02.min_people=5", second)).toEqual({
      "HT-FUNNEL-02.min_people": "5",
      "HT-FUNNEL-02.far": "150 km",
    });
    for (const text of ["x=1", "A.b", "A.b=", "=1", "A.__proto__"]) expect(() => settingOption(text)).toThrow();
    expect(gathered("b", gathered("a"))).toEqual(["a", "b"]);
  });
});

describe("text", () => {
  it("wraps at spaces and lets a long word stand alone", () => {
    expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrap(`a ${"x".repeat(20)} b`, 10)).toEqual(["a", "x".repeat(20), "b"]);
    expect(wrap("", 10)).toEqual([]);
  });

  it("takes away what a terminal would obey", () => {
    expect(printable("a\u001b[31mb\u0085c\u202ed\ne")).toBe("a [31mb c d e");
  });

  it("lays out a table with its titles and right-aligned numbers", () => {
    const columns = [{ title: "rule" }, { title: "hits", align: "right" as const }];
    expect(
      layoutTable(columns, [
        ["A-1", "12"],
        ["LONGER", "3"],
      ]),
    ).toEqual(["rule    hits", "A-1       12", "LONGER     3"]);
    expect(layoutTable(columns, [])).toEqual([]);
  });
});
