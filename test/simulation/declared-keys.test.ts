/**
 * Undeclared keys tear a commit while a slot of a Redis Cluster moves. That needs a real cluster to happen, but not to
 * be seen: every key that the functions touch must be one of KEYS.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const source = readFileSync(new URL("../../src/store/functions/palermo.lua", import.meta.url), "utf8");

/** Calls of Redis commands whose key is not one of KEYS. */
function undeclared(lua: string): string[] {
  const calls = [...lua.matchAll(/\bcall\('([A-Z]+)',\s*([^,)\s]+)/g)];
  expect(calls.length).toBeGreaterThan(10);
  return calls.filter(([, , key]) => !/^(unpack\()?KEYS\b/.test(key ?? "")).map(([call]) => call);
}

test("every key that the functions touch is declared", () => {
  expect(undeclared(source)).toEqual([]);
});

test("a planted key that is made up from an argument is found", () => {
  const planted = source.replace("call('SET', KEYS[i],", "call('SET', ARGV[1] .. i,");
  expect(planted).not.toBe(source);
  expect(undeclared(planted)).toEqual(["call('SET', ARGV[1]"]);
});
