/** Certificates for tests, made by openssl when they are needed: an authority, a server's, and one that has expired. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDir } from "./process.ts";

/** Paths of PEM files; `...WithKey` hold the private key too, as Kafka wants it. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly certWithKey: string;
  readonly expired: string;
  readonly expiredWithKey: string;
}

/** For `localhost` and 127.0.0.1. The files go when the test run ends. */
export function makeCertificates(): Certificates {
  const dir = makeDir("certificates");
  const at = (name: string): string => join(dir, name);
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
  const newKey = (name: string): string[] => ["-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`];
  openssl("req", "-x509", ...newKey("ca"), "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test authority");
  openssl("req", ...newKey("server"), "-out", "server.csr", "-subj", "/CN=localhost");
  writeFileSync(at("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  const sign = (days: number, name: string): void => {
    const signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
    openssl("x509", "-req", "-in", "server.csr", ...signer, "-days", String(days), "-out", `${name}.pem`);
    writeFileSync(
      at(`${name}-all.pem`),
      readFileSync(at("server.key"), "utf8") + readFileSync(at(`${name}.pem`), "utf8"),
    );
  };
  sign(2, "server");
  sign(-1, "expired");
  return {
    ca: at("ca.pem"),
    cert: at("server.pem"),
    key: at("server.key"),
    certWithKey: at("server-all.pem"),
    expired: at("expired.pem"),
    expiredWithKey: at("expired-all.pem"),
  };
}
