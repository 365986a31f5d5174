/** The stories of `fixtures/`: their files, and what replay says of them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { alertSchema } from "../src/domain/alert.ts";
import { createSettler } from "../src/screen/settled.ts";
import { palermo } from "./cli/replay-kit.ts";

const fixtures = fileURLToPath(new URL("../fixtures/", import.meta.url));

/** Folders that tell a story; `demo` is all of them within a month of other people's movements. */
export const stories: readonly string[] = readdirSync(fixtures).filter((name) =>
  existsSync(`${fixtures}${name}/README.md`),
);

/** Lines of a file of a story; none where the story has no such file. */
export function storyLines(story: string, file: string): string[] {
  return existsSync(`${fixtures}${story}/${file}`) ? linesOf(readFileSync(`${fixtures}${story}/${file}`, "utf8")) : [];
}

/** Settled alerts of `palermo replay` over a story with the shipped rules, as lines of JSON. */
export async function replayStory(story: string): Promise<string[]> {
  const parties = `${fixtures}${story}/parties.ndjson`;
  const options = [...(existsSync(parties) ? ["--parties", parties] : []), "--format", "ndjson", "--quiet"];
  const { code, out, err } = await palermo(["replay", `${fixtures}${story}/transactions.ndjson`, ...options]);
  expect(code, `${story}: ${err}`).toBe(0);
  const settler = createSettler();
  for (const line of linesOf(out)) settler.add(alertSchema.parse(JSON.parse(line)));
  return settler.lines();
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
