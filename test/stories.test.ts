/** The shipped rules over every story: the alerts that stand beside it, and no others. */
import { describe, expect, test } from "vitest";
import { replayStory, stories, storyLines } from "./stories.ts";

/** The pack's hash moves with every rule; what an alert says moves only with those behind it. */
function withoutPack(line: string): unknown {
  const { packHash, ...rest } = JSON.parse(line) as { readonly packHash: string };
  expect(packHash).toMatch(/^[0-9a-f]{64}$/);
  return rest;
}

describe("the stories", () => {
  test("are eight at least, two of them without any alert", () => {
    expect(stories.length).toBeGreaterThanOrEqual(9);
    const silent = stories.filter((story) => storyLines(story, "alerts.ndjson").length === 0);
    expect(silent).toEqual(expect.arrayContaining(["family-remitter", "npo-appeal"]));
    expect(stories.length - silent.length).toBeGreaterThanOrEqual(6);
  });

  test.each(stories)("%s gives the alerts that stand beside it", async (story) => {
    const expected = storyLines(story, "alerts.ndjson").map(withoutPack);
    expect((await replayStory(story)).map(withoutPack)).toEqual(expected);
  });
});
