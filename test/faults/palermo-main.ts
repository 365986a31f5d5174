/** The command line from source, for tests that start it as a process. */
import { main } from "../../src/cli/main.ts";

process.exitCode = await main(process.argv.slice(2));
