/** The keys of the configuration as options of a verb, and the options that were given as keys. */
import { type Command, Option } from "commander";
import { configKeys } from "../stream/config.ts";

/** Adds one option for each key; texts are checked with the rest of the configuration, not here. */
export function addConfigFlags(verb: Command): void {
  const own = new Set(verb.options.map((option) => option.long));
  for (const key of configKeys()) {
    if (own.has(key.flag)) continue;
    const value = key.kind === "boolean" ? "[true|false]" : key.kind === "number" ? "<number>" : "<text>";
    const choices = key.choices === undefined ? "" : ` One of ${key.choices.join(", ")}.`;
    const fallback = key.fallback === undefined || key.fallback === "" ? "" : ` (default: ${key.fallback})`;
    verb.addOption(new Option(`${key.flag} ${value}`, `${key.about}${choices}${fallback}`));
  }
}

/** Dotted key to text, of the options that were given. */
export function flagsOf(options: Readonly<Record<string, unknown>>): Record<string, string> {
  const flags: Record<string, string> = {};
  for (const key of configKeys()) {
    const given = options[new Option(key.flag).attributeName()];
    if (given !== undefined) flags[key.path] = String(given);
  }
  return flags;
}
