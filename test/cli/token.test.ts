import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { runToken } from "../../src/cli/token.ts";
import { computeToken, normaliseIdentifier, TOKEN_KINDS, type TokenKind } from "../../src/cli/token-forms.ts";
import { fakeTerminal } from "./fake-terminal.ts";

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
const HEX = Buffer.from(KEY).toString("hex");
const page = readFileSync(new URL("../../docs/tokens.md", import.meta.url), "utf8");
const vectors = [...page.matchAll(/^\| (\w+) +\| `(.+?)` +\| `(.+?)` +\| `(k1\.\w+)` +\|$/gm)].map((match) =>
  match.slice(1),
);

describe("published test vectors", () => {
  it("cover every kind", () => {
    expect(new Set(vectors.map(([kind]) => kind))).toEqual(new Set(TOKEN_KINDS));
  });

  it.each(vectors)("%s %s", (kind = "", value = "", form = "", token = "") => {
    expect(page).toContain(HEX);
    expect(normaliseIdentifier(kind as TokenKind, value)).toEqual({ kind: "value", value: form });
    expect(computeToken(KEY, 1, kind as TokenKind, form)).toBe(token);
  });
});

describe("normaliseIdentifier", () => {
  it.each<[TokenKind, string]>([
    ["iban", "GB82 WEST 1234 5698 7654 33"],
    ["iban", "GB82"],
    ["account", "12 34; DROP"],
    ["card", "4111 1111 1111 1112"],
    ["card", "4111"],
    ["email", "jane.doe"],
    ["email", "a b@example.org"],
    ["email", "a@b@example.org"],
    ["phone", "020 7946 0000"],
    ["phone", "+44"],
    ["wallet", "short"],
    ["wallet", "0x52908400098527886E0F 7030069857D2E4169EE7"],
    ["address", "--"],
    ["passport", "L898902C3"],
    ["party", "  "],
    ["party", "C\n1"],
    ["device", "x".repeat(513)],
  ])("refuses %s %j", (kind, value) => {
    expect(normaliseIdentifier(kind, value).kind).toBe("invalid");
  });

  it("gives one form to every spelling of a number", () => {
    const property = fc.property(fc.array(fc.constantFrom("", " ", "-"), { minLength: 22, maxLength: 22 }), (gaps) => {
      const spelled = [..."GB82WEST12345698765432"].map((letter, index) => letter + (gaps[index] ?? "")).join("");
      expect(normaliseIdentifier("iban", spelled.toLowerCase())).toEqual({
        kind: "value",
        value: "GB82WEST12345698765432",
      });
    });
    fc.assert(property, { seed: 2 });
  });

  it("is stable: the form of a form is itself", () => {
    const property = fc.property(fc.constantFrom(...TOKEN_KINDS), fc.string({ unit: "grapheme" }), (kind, value) => {
      const first = normaliseIdentifier(kind, value);
      if (first.kind === "value") expect(normaliseIdentifier(kind, first.value)).toEqual(first);
    });
    fc.assert(property, { seed: 3, numRuns: 2_000 });
  });
});

describe("palermo token", () => {
  const folder = mkdtempSync(join(tmpdir(), "palermo-token-"));
  const keyFile = join(folder, "token.key");
  writeFileSync(keyFile, `${HEX}\n`);

  it("prints the token, with the key from a file or from the environment", async () => {
    const fromFile = fakeTerminal();
    expect(await runToken("party", "C-1029", { keyFile, keyId: 1 }, fromFile)).toBe(0);
    const fromEnv = fakeTerminal({ env: { PALERMO_TOKEN_KEY: HEX } });
    expect(await runToken("party", "C-1029", { keyId: 1 }, fromEnv)).toBe(0);
    expect(fromFile.out()).toBe("k1.CVT5J3RZ6FKTFFP2NJTU7IB6RAU6JJTITM33E5W5WJP5DSITV4SQ\n");
    expect(fromEnv.out()).toBe(fromFile.out());
  });

  it("gives JSON where it is asked for, without the value", async () => {
    const one = fakeTerminal();
    expect(await runToken("party", "C-1029", { keyFile, keyId: 1, json: true }, one)).toBe(0);
    const token = "k1.CVT5J3RZ6FKTFFP2NJTU7IB6RAU6JJTITM33E5W5WJP5DSITV4SQ";
    expect(JSON.parse(one.out())).toEqual({ kind: "party", token });
    const lines = fakeTerminal({ stdin: "C-1029\nC-1029\n" });
    expect(await runToken("party", "-", { keyFile, keyId: 1, json: true }, lines)).toBe(0);
    expect(lines.out()).toBe(one.out() + one.out());
  });

  it("takes values from standard input, names bad lines without repeating them and exits with 3", async () => {
    const terminal = fakeTerminal({ stdin: "+44 20 7946 0000\r\nnot-a-phone\n00442079460000\n" });
    expect(await runToken("phone", "-", { keyFile, keyId: 7 }, terminal)).toBe(3);
    const lines = terminal.out().split("\n");
    expect(lines[0]).toMatch(/^k7\.[A-Z2-7]{52}$/);
    expect(lines).toEqual([lines[0], "", lines[0], ""]);
    expect(terminal.err()).toMatch(/^-:2: not a valid phone: expected a phone number/);
    expect(terminal.err()).not.toContain("not-a-phone");
  });

  it.each([
    ["an unknown kind", "isbn", "1", { keyFile, keyId: 1 }, /unknown kind "isbn": expected one of iban/],
    ["a value out of form", "iban", "GB00", { keyFile, keyId: 1 }, /not a valid iban/],
    ["no key", "party", "1", { keyId: 1 }, /no key: give --key-file FILE or set PALERMO_TOKEN_KEY/],
    [
      "a missing key file",
      "party",
      "1",
      { keyFile: join(folder, "none"), keyId: 1 },
      /none: the key file cannot be read/,
    ],
  ])("refuses %s", async (_what, kind, value, options, message) => {
    const attempt = runToken(kind, value, options, fakeTerminal());
    await expect(attempt).rejects.toThrow(UsageError);
    await expect(attempt).rejects.toThrow(message);
  });

  it("refuses a short or misspelt key and does not show it", async () => {
    for (const key of ["abcd", "z".repeat(64), ""]) {
      const attempt = runToken("party", "1", { keyId: 1 }, fakeTerminal({ env: { PALERMO_TOKEN_KEY: key } }));
      await expect(attempt).rejects.toThrow(/expected a key of 32 bytes or more as hexadecimal text$/);
    }
  });
});
