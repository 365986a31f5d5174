/** How the configuration becomes the settings of the screening worker. */
import { expect, test } from "vitest";
import { screenConfig } from "../../src/cli/screen-settings.ts";
import { loadConfig } from "../../src/stream/config.ts";

test.each([8, 256, 2_048, 16_384])("a cache of %d MB has as many bytes", (megabytes) => {
  const config = loadConfig({ flags: { "screen.cacheMb": String(megabytes) } });
  expect(screenConfig(config).cacheBytes).toBe(megabytes * 1_048_576);
});
