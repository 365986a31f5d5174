/** Places in the package itself, found from this file: the same whether it runs from src or from dist. */
import { fileURLToPath } from "node:url";

/** The folder of the rules that come with Palermo. */
export function shippedRulesDir(): string {
  return fileURLToPath(new URL("../../rules", import.meta.url));
}

/** The package's own package.json. */
export function packageFile(): URL {
  return new URL("../../package.json", import.meta.url);
}
