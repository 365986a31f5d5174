import fc from "fast-check";
import { Command } from "ioredis";
import { expect, test } from "vitest";
import { encodeCommand, WrittenCommand } from "../../src/store/written-command.ts";

const argument = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("", "\r\n", "ä€😀", "$3\r\nabc\r\n"),
  fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
);

test("a command is written as ioredis writes it, whatever its arguments", () => {
  fc.assert(
    fc.property(fc.constantFrom("GET", "FCALL"), fc.array(argument, { maxLength: 30 }), (name, args) => {
      const theirs = new Command(name, [...args], { replyEncoding: null });
      theirs.stringifyArguments();
      const expected = Buffer.from(theirs.toWritable({} as never));
      expect(Buffer.compare(encodeCommand(name, args), expected)).toBe(0);
      expect(Buffer.compare(new WrittenCommand(name, args).toWritable(), expected)).toBe(0);
    }),
  );
});

test("a large one is whole: many keys, and values of the most that is stored", () => {
  const args = Array.from({ length: 5_000 }, (_, i) => (i % 2 === 0 ? `key:${i}` : Buffer.alloc(i, i)));
  const theirs = new Command("FCALL", [...args], { replyEncoding: null });
  theirs.stringifyArguments();
  expect(Buffer.compare(encodeCommand("FCALL", args), Buffer.from(theirs.toWritable({} as never)))).toBe(0);
});

test("the keys of a function call are found, which a cluster needs", () => {
  const command = new WrittenCommand("FCALL", ["palermo_commit", "2", "{p1}:a", "{p1}:b", Buffer.from("value")]);
  expect(command.getKeys().map(String)).toEqual(["{p1}:a", "{p1}:b"]);
});
