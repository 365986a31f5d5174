/** The shipped rules over the shipped demonstration: what `npm start` shows. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { alertSchema } from "../../src/domain/alert.ts";
import { palermo, testFolder, write } from "./replay-kit.ts";

const demo = fileURLToPath(new URL("../../fixtures/demo/", import.meta.url));
const input = join(demo, "transactions.ndjson");
const parties = ["--parties", join(demo, "parties.ndjson"), "--quiet"];

describe("the demonstration", () => {
  it("gives the same bytes with its rows dealt out over three files", async () => {
    const folder = testFolder();
    const whole = await palermo(["replay", input, ...parties]);
    const rows = readFileSync(input, "utf8")
      .split("\n")
      .filter((line) => line !== "");
    const files = [2, 0, 1].map((third) =>
      write(folder, `${third}.ndjson`, rows.filter((_, index) => index % 3 === third).join("\n")),
    );
    const split = await palermo(["replay", ...files, ...parties]);
    expect([whole.code, split.code]).toEqual([0, 0]);
    expect(whole.out.length).toBeGreaterThan(1_000);
    expect(split.out).toBe(whole.out);
  });

  it("reads as advice: nobody who may be a victim is called a suspect", async () => {
    const { out } = await palermo(["replay", input, ...parties, "--format", "text"]);
    const pages = out.split(/^─+$/m).filter((page) => page.includes("PERSON AT RISK"));
    expect(pages.length).toBeGreaterThan(0);
    for (const page of pages) {
      expect(page).toContain("not to be named as the subject of a report");
      expect(page).not.toMatch(/suspect|culprit|offender|guilty|trafficker/i);
    }
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it("marks in the record what the page says", async () => {
    const { out } = await palermo(["replay", input, ...parties]);
    const alerts = out
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => alertSchema.parse(JSON.parse(line)));
    for (const alert of alerts) expect(alert.handling.doNotNameAsSubject).toBe(alert.victimPossible);
  });
});
