import { describe, expect, it } from "vitest";
import { createListing, LISTING_ALERTS_MAX } from "../../src/cli/listing.ts";
import { PLAIN } from "../../src/cli/output.ts";
import { sampleAlert } from "./sample-alert.ts";

const form = { style: PLAIN, width: 100 };

describe("createListing", () => {
  it("shows each alert once, as it stood in the end, the most urgent first", () => {
    const listing = createListing();
    listing.add(sampleAlert({ alertId: "low", severity: "low", score: 99 }));
    listing.add(sampleAlert({ alertId: "late", severity: "high", score: 60, updatedAt: "2026-03-20T00:00:00.000Z" }));
    listing.add(sampleAlert({ alertId: "rises", revision: 1, severity: "low" }));
    listing.add(sampleAlert({ alertId: "early", severity: "high", score: 60, updatedAt: "2026-03-10T00:00:00.000Z" }));
    listing.add(sampleAlert({ alertId: "rises", revision: 2, severity: "critical" }));
    listing.add(sampleAlert({ alertId: "rises", revision: 1, severity: "low" }));
    listing.add(sampleAlert({ alertId: "gone", event: "withdrawn", severity: "critical" }));
    const pages = [...listing.pages(form, 10)];
    expect(pages.map((page) => /Alert +(\w+),/.exec(page)?.[1] ?? page)).toEqual([
      "rises",
      "late",
      "early",
      "low",
      "4 alerts.\n",
    ]);
  });

  it("says how many it does not show", () => {
    const listing = createListing();
    for (const alertId of ["a", "b", "c"]) listing.add(sampleAlert({ alertId }));
    expect([...listing.pages(form, 2)].at(-1)).toBe("2 alerts shown, the most urgent; 1 more is not shown.\n");
    expect(listing.brief(1).split("\n").slice(1)).toEqual([
      "high      65     HT-SX     party k1.CAROL  2026-03-14 22:40  person at risk  a",
      "1 alert shown, the most urgent; 2 more are not shown.",
      "",
    ]);
    expect([...createListing().pages(form, 2)]).toEqual(["No alerts.\n"]);
  });

  it("holds a bounded number, the most urgent ones", () => {
    const listing = createListing();
    const count = 3 * LISTING_ALERTS_MAX;
    for (let index = 0; index < count; index += 1) {
      listing.add(sampleAlert({ alertId: `a-${String(index).padStart(5, "0")}`, score: index % 100 }));
    }
    const text = listing.brief(5);
    expect(text).toContain(`${(count - 5).toLocaleString("en-US")} more are not shown`);
    expect(text.match(/^high +99 /gm)).toHaveLength(5);
  });
});
