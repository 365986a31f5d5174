/** Before every test file: a failing property is shrunk for a minute at most, so that none can hang the suite. */
import fc from "fast-check";

fc.configureGlobal({ ...fc.readConfigureGlobal(), interruptAfterTimeLimit: 60_000, markInterruptAsFailure: true });
