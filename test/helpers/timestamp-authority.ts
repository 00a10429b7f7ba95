// A timestamp authority for tests: keys and certificates made by openssl, which also answers the requests (RFC 3161).
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** Why tests that need openssl are skipped, or false. */
export const OPENSSL_MISSING: string | false = (process.env["PATH"] ?? "")
  .split(delimiter)
  .some((folder) => existsSync(join(folder, "openssl")))
  ? false
  : "openssl is not installed";

export type AuthorityKey = "rsa" | "P-256" | "P-384";

const CONFIG = `
[ca]
basicConstraints = critical, CA:true, pathlen:1
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[tsa]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[service]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[old]
serial = serial
crypto_device = builtin
signer_digest = sha384
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_chain = yes
ess_cert_id_alg = sha1
`;

export class TestAuthority {
  readonly folder: string;
  /** Certificate of the root, DER. */
  readonly root: Uint8Array;
  readonly rootPem: string;
  /** The authority's own certificate, DER. */
  readonly certificate: Uint8Array;

  private constructor(folder: string) {
    this.folder = folder;
    this.root = this.#openssl(["x509", "-in", "root.pem", "-outform", "DER"]);
    this.rootPem = readFileSync(join(folder, "root.pem"), "utf8");
    this.certificate = this.#openssl(["x509", "-in", "tsa.pem", "-outform", "DER"]);
  }

  static make({ key = "P-256", days = 3650 }: { key?: AuthorityKey; days?: number } = {}): TestAuthority {
    const folder = mkdtempSync(join(tmpdir(), "adyton-tsa-"));
    const run = (...args: string[]): void =>
      void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
    const fresh = (file: string): void =>
      key === "rsa"
        ? run("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", file)
        : run("genpkey", "-algorithm", "EC", "-pkeyopt", `ec_paramgen_curve:${key}`, "-out", file);
    writeFileSync(join(folder, "conf"), CONFIG);
    writeFileSync(join(folder, "serial"), "01\n");
    fresh("root.key");
    fresh("tsa.key");
    run("req", "-new", "-key", "root.key", "-subj", "/O=Test/CN=Root for tests", "-out", "root.csr");
    const lifetime = ["-days", String(days), "-extfile", "conf"];
    const certify = (name: string, ...more: string[]): void =>
      run("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.pem`, ...lifetime, ...more);
    certify("root", "-signkey", "root.key", "-extensions", "ca");
    run("req", "-new", "-key", "tsa.key", "-subj", "/O=Test/CN=Authority for tests", "-out", "tsa.csr");
    const issuer = ["-CA", "root.pem", "-CAkey", "root.key", "-set_serial", "7"];
    certify("tsa", ...issuer, "-extensions", "tsa");
    return new TestAuthority(folder);
  }

  /** Answers a request. `section`: `old` names certificates by SHA-1 and adds the chain to the attributes. */
  reply(request: Uint8Array, section: "service" | "old" = "service"): Uint8Array {
    writeFileSync(join(this.folder, "request.tsq"), request);
    const files = ["-queryfile", "request.tsq", "-out", "response.tsr"];
    const signer = ["-signer", "tsa.pem", "-inkey", "tsa.key", "-chain", "root.pem"];
    this.#openssl(["ts", "-reply", "-config", "conf", "-section", section, ...files, ...signer]);
    return readFileSync(join(this.folder, "response.tsr"));
  }

  /** Does openssl accept this response for these bytes? */
  accepts(response: Uint8Array, message: Uint8Array): boolean {
    writeFileSync(join(this.folder, "check.tsr"), response);
    writeFileSync(join(this.folder, "check.data"), message);
    try {
      this.#openssl(["ts", "-verify", "-in", "check.tsr", "-data", "check.data", "-CAfile", "root.pem"]);
      return true;
    } catch {
      return false;
    }
  }

  /** Serves it over HTTP on a free port of 127.0.0.1. `answer` may spoil what is sent. */
  async serve(
    answer: (response: Uint8Array, request: Uint8Array) => Uint8Array | number = (response) => response,
  ): Promise<{ url: string; requests: () => number; close: () => Promise<void> }> {
    let requests = 0;
    const server: Server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        requests += 1;
        const body = Buffer.concat(parts);
        const sent = answer(this.reply(body), body);
        if (typeof sent === "number") response.writeHead(sent).end("no");
        else response.writeHead(200, { "content-type": "application/timestamp-reply" }).end(sent);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const close = async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    return { url: `http://127.0.0.1:${port}/`, requests: () => requests, close };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #openssl(args: readonly string[]): Buffer {
    return execFileSync("openssl", args, { cwd: this.folder, stdio: ["ignore", "pipe", "pipe"] });
  }
}
