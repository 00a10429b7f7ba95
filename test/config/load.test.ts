// Proves that a wrong configuration is refused with the place of each mistake, and a right one comes out whole.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { ConfigError } from "../../src/config/errors.ts";
import { type LoadOptions, loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { readSecret } from "../../src/config/secret.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adyton-config-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function load(yaml: string | null, options: LoadOptions = {}): Config {
  if (yaml !== null) writeFileSync(join(folder, "adyton.yaml"), yaml);
  return loadConfig({ env: {}, workingFolder: folder, ...options });
}

function refusal(yaml: string | null, options: LoadOptions = {}): ConfigError {
  try {
    load(yaml, options);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error;
  }
  throw new assert.AssertionError({ message: "expected a refusal" });
}

describe("what is loaded", () => {
  test("without a file, the defaults; the data folder starts at the working folder", () => {
    const config = load(null);
    assert.equal(config.data, join(folder, "adyton-data"));
    assert.deepEqual(config.gateway.listen, { host: "127.0.0.1", port: 8787 });
    assert.equal(config.gateway.onLogFailure, "failClosed");
    assert.deepEqual(config.gateway.upstreams, []);
    assert.equal(config.store.url, null);
  });

  test("an empty file changes nothing", () => {
    assert.deepEqual(load(""), load(null));
    assert.deepEqual(load("# only a comment\n"), load(null));
  });

  test("a section given in part keeps the other defaults", () => {
    const { gateway } = load("gateway:\n  listen: { port: 9000 }\n  limits: { maxBodyBytes: 2048 }\n");
    assert.deepEqual(gateway.listen, { host: "127.0.0.1", port: 9000 });
    assert.equal(gateway.limits.maxBodyBytes, 2048);
    assert.equal(gateway.limits.maxHeaderBytes, 16_384);
  });

  test("an upstream is filled in", () => {
    const [upstream] = load(
      "gateway:\n  upstreams:\n    - { name: main, family: openai, url: 'https://api.example.com', key: { env: K } }\n",
    ).gateway.upstreams;
    assert.deepEqual(upstream?.key, { env: "K" });
    assert.deepEqual(upstream?.models, []);
    assert.equal(upstream?.keyHeader, null);
  });

  test("the data folder of a file starts at the file's folder", () => {
    writeFileSync(join(folder, "other.yaml"), "data: here\n");
    const config = loadConfig({ env: {}, workingFolder: tmpdir(), file: join(folder, "other.yaml") });
    assert.equal(config.data, join(folder, "here"));
  });

  test("environment wins over the file, the command line over both", () => {
    const env = { ADYTON_GATEWAY_PORT: "9001", ADYTON_DATA: "from-env", ADYTON_DIAGNOSTICS_LEVEL: "warn" };
    const yaml = "data: from-file\ngateway: { listen: { port: 9000 } }\n";
    const config = load(yaml, { env, overrides: { data: "from-line" } });
    assert.equal(config.gateway.listen.port, 9001);
    assert.equal(config.data, join(folder, "from-line"));
    assert.equal(config.diagnostics.level, "warn");
    assert.equal(load(yaml, { env }).data, join(folder, "from-env"));
  });

  test("ADYTON_CONFIG names the file", () => {
    writeFileSync(join(folder, "named.yaml"), "log: { origin: named }\n");
    assert.equal(load(null, { env: { ADYTON_CONFIG: "named.yaml" } }).log.origin, "named");
  });
});

describe("what is refused", () => {
  test("every mistake at once, each with file, line and column", () => {
    const error = refusal(
      "gateway:\n  listen: { port: x }\n  workerz: 3\ndetect:\n  falseDiscoveryRate: 3\n",
    );
    assert.equal(error.code, "config-invalid");
    const places = error.message.split("\n").map((line) => line.split(": ")[0]);
    assert.deepEqual(places.sort(), ["adyton.yaml:2:19", "adyton.yaml:3:3", "adyton.yaml:5:23"]);
    assert.match(error.message, /unknown setting gateway\.workerz/);
  });

  test("an unknown setting at the top and inside a list", () => {
    assert.match(refusal("gatewya: {}\n").message, /^adyton\.yaml:1:1: unknown setting gatewya$/);
    const yaml =
      "gateway:\n  upstreams:\n    - name: a\n      family: openai\n      url: http://a\n      kee: 1\n";
    assert.match(refusal(yaml).message, /^adyton\.yaml:6:7: unknown setting gateway\.upstreams\.0\.kee$/);
  });

  test("a wrong value from the environment names the variable", () => {
    const error = refusal(null, { env: { ADYTON_CONSOLE_PORT: "99999" } });
    assert.match(error.message, /^environment variable ADYTON_CONSOLE_PORT: console\.listen\.port: /);
  });

  test("a file that is named but absent, and one that is not YAML", () => {
    assert.equal(refusal(null, { file: "absent.yaml" }).code, "config-not-found");
    const error = refusal("gateway:\n  listen: [1,\n");
    assert.equal(error.code, "config-syntax");
    assert.match(error.message, /^adyton\.yaml:\d+:\d+: /);
    assert.equal(refusal("a: 1\na: 2\n").code, "config-syntax");
    assert.equal(refusal("- a\n- b\n").code, "config-invalid");
  });

  test("aliases that explode, and a file that is too large", () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const item = level === 0 ? "x" : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array(9).fill(item).join(",")}]`;
    });
    assert.equal(refusal(levels.join("\n")).code, "config-syntax");
    assert.equal(refusal(`# ${"x".repeat(1024 * 1024)}\n`).code, "config-not-readable");
  });

  test("a secret written where its place belongs, and the message does not repeat it", () => {
    const yaml =
      "gateway:\n  upstreams:\n    - { name: a, family: openai, url: 'https://u:hunter2@x/', key: sk-hunter3 }\n";
    const error = refusal(yaml);
    assert.equal(error.code, "config-invalid");
    assert.doesNotMatch(error.message, /hunter/);
  });

  test("a request is held no longer than it may take to arrive", () => {
    const limits = (ms: number, seconds: number): string =>
      `gateway: { limits: { requestTimeoutMs: ${ms} } }\nrespond: { slow: { maxWaitSeconds: ${seconds} } }\n`;
    assert.equal(load(limits(20_000, 19)).respond.slow.maxWaitSeconds, 19);
    const { code, message } = refusal(limits(20_000, 20));
    assert.equal(code, "config-invalid");
    assert.match(message, /adyton\.yaml:2:.*respond\.slow\.maxWaitSeconds: .*requestTimeoutMs/);
    assert.equal(refusal("gateway: { limits: { requestTimeoutMs: 20000 } }\n").code, "config-invalid");
  });

  test("two upstreams of one name; blocks and headers that are none", () => {
    const one = "{ name: a, family: openai, url: 'https://x' }";
    assert.match(refusal(`gateway:\n  upstreams: [${one}, ${one}]\n`).message, /expected a name used once/);
    for (const block of ["10.0.0.0/33", "10.0.0", "::1/129", "10.0.0.0/8/8", ""]) {
      assert.equal(refusal(`gateway:\n  trustedProxies: ['${block}']\n`).code, "config-invalid", block);
    }
    assert.equal(refusal("gateway:\n  ja4Header: 'X JA4'\n").code, "config-invalid");
  });
});

describe("secrets", () => {
  test("in files are looked for beside the configuration", () => {
    writeFileSync(
      join(folder, "other.yaml"),
      "store: { url: 'http://db:8123', password: { file: db.key } }\ngateway:\n  upstreams: [{ name: a, family: any, url: 'http://a', key: { file: /etc/a.key } }]\n",
    );
    const config = loadConfig({ env: {}, workingFolder: tmpdir(), file: join(folder, "other.yaml") });
    assert.deepEqual(config.store.password, { file: join(folder, "db.key") });
    assert.deepEqual(config.gateway.upstreams[0]?.key, { file: "/etc/a.key" });
  });

  test("come from the environment or a file, without the final newline", async () => {
    writeFileSync(join(folder, "key"), "s3cret\n");
    assert.equal(await readSecret({ env: "K" }, { env: { K: "v" } }), "v");
    assert.equal(await readSecret({ file: join(folder, "key") }), "s3cret");
  });

  test("that are missing or empty are refused", async () => {
    writeFileSync(join(folder, "empty"), "\n");
    const places = [{ env: "K" }, { file: join(folder, "absent") }, { file: join(folder, "empty") }];
    for (const place of places) {
      await assert.rejects(readSecret(place, { env: {} }), { code: "secret-unavailable" });
    }
  });
});
