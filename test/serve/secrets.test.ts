// Exercises everything with secrets that are easy to recognise, and then looks for them in all that was written or said.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { CSRF_HEADER } from "../../src/api/identity.ts";
import { freePort } from "../helpers/free-port.ts";
import {
  adyton,
  type RunningInstallation,
  removeFolder,
  startInstallation,
  temporaryFolder,
} from "../helpers/installation.ts";
import { startUpstream } from "../helpers/upstream.ts";

const UPSTREAM_KEY = "sk-canary-of-the-upstream-made-for-tests";
const CLIENT_SECRET = "canary-client-secret-made-for-tests";
/** What the tests asked and were answered with, where no secret has to be. */
const said: string[] = [];
let folder = "";
let running: RunningInstallation | null = null;
after(async () => {
  running?.process.kill("SIGKILL");
  if (folder !== "") await removeFolder(folder);
});

/** Every way in which a secret may have been written down. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("hex"),
  ];
}

async function filesBelow(path: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(file, await readFile(file));
  }
  return files;
}

async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, { redirect: "manual", ...init });
  const headers = [...response.headers].filter(([name]) => name !== "set-cookie");
  said.push(`${url}: ${response.status} ${JSON.stringify(headers)} ${await response.clone().text()}`);
  return response;
}

async function command(line: readonly string[], { shows = false } = {}): Promise<Record<string, string>> {
  const { code, out, err } = await adyton([...line, "--json", "--config", running?.configFile ?? ""]);
  assert.equal(code, 0, err);
  said.push(err);
  if (!shows) said.push(out);
  return JSON.parse(out) as Record<string, string>;
}

test("keys and tokens stand in no log, file, error, metric or page", { timeout: 300_000 }, async () => {
  folder = await temporaryFolder("secrets");
  const upstream = await startUpstream();
  const ports = { gateway: await freePort(), console: await freePort() };
  process.env["ADYTON_TEST_CANARY_UPSTREAM"] = UPSTREAM_KEY;
  process.env["ADYTON_TEST_CANARY_CLIENT"] = CLIENT_SECRET;
  running = await startInstallation(folder, {
    gateway: {
      listen: { port: ports.gateway },
      workers: 1,
      upstreams: [
        { name: "played", family: "openai", url: upstream.url, key: { env: "ADYTON_TEST_CANARY_UPSTREAM" } },
      ],
    },
    console: {
      listen: { port: ports.console },
      publicUrl: `http://127.0.0.1:${ports.console}`,
      provider: {
        issuer: "http://127.0.0.1:9",
        clientId: "canary",
        clientSecret: { env: "ADYTON_TEST_CANARY_CLIENT" },
      },
    },
    diagnostics: { level: "trace" },
  });
  const { welcome } = running;
  const secrets = await exercise(welcome.gateway, welcome.console, welcome.signIn);
  assert.equal(await running.stop(), 0);
  said.push(running.diagnostics());
  await upstream.close();
  const files = await filesBelow(folder);
  const control = [...files.values()].some((bytes) => bytes.includes("acme-1"));
  assert.ok(control && said.some((text) => text.includes("acme-1")), "what is no secret is found this way");
  for (const [name, secret] of Object.entries({ ...secrets, UPSTREAM_KEY, CLIENT_SECRET })) {
    assert.ok(secret.length >= 20, name);
    for (const form of formsOf(secret)) {
      const told = said.filter((text) => text.includes(form)).map((text) => text.slice(0, 200));
      assert.deepEqual(told, [], `${name} was said`);
      const kept = [...files].filter(([, bytes]) => bytes.includes(form)).map(([file]) => file);
      assert.deepEqual(kept, [], `${name} was written down`);
    }
  }
});

/** Makes one secret of each kind and uses it rightly and wrongly, wherever a request can go. */
async function exercise(gateway: string, console_: string, signIn: string): Promise<Record<string, string>> {
  const make = (line: readonly string[]): Promise<Record<string, string>> => command(line, { shows: true });
  await command(["organizations", "set", "acme"]);
  const { secret: key = "" } = await make(["keys", "create", "--account", "acme-1"]);
  const revoked = await make(["keys", "create", "--account", "acme-1"]);
  await command(["keys", "revoke", revoked["id"] ?? ""]);
  const { secret: endUserSecret = "" } = await make(["organizations", "key", "create", "acme"]);
  const { secret: token = "" } = await make([
    ...["tokens", "create", "--label", "canary", "--scope", "metrics:read", "findings:read"],
  ]);
  const link = /token=([\w-]+)/.exec(signIn)?.[1] ?? "";
  const json = { "content-type": "application/json" };
  const own = { ...json, [CSRF_HEADER]: "1" };
  const signedIn = await ask(`${console_}/api/session`, {
    method: "POST",
    headers: own,
    body: JSON.stringify({ token: link }),
  });
  const session = /adyton_session=([\w-]+)/.exec(signedIn.headers.getSetCookie()[0] ?? "")?.[1] ?? "";
  const cookie = `adyton_session=${session}`;
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hello" }] });
  const credentials = [
    { authorization: `Bearer ${key}` },
    { "x-api-key": key },
    { authorization: `Bearer ${revoked["secret"]}` },
    { authorization: `Bearer ${token}` },
    { authorization: `Basic ${key}` },
    { authorization: `Bearer ${key}`, "x-api-key": key, "api-key": key, cookie, "proxy-authorization": key },
  ];
  for (const headers of credentials)
    for (const path of ["/v1/chat/completions", "/v1/models", "/nothing"])
      await ask(`${gateway}${path}`, { method: "POST", headers: { ...json, ...headers }, body });
  // Secrets in the wrong place: another kind of secret, a body of the wrong shape, a name.
  for (const wrong of [key, token, link, session]) {
    await ask(`${console_}/api/session`, {
      method: "POST",
      headers: own,
      body: JSON.stringify({ token: wrong }),
    });
    await ask(`${console_}/api/session`, {
      method: "POST",
      headers: own,
      body: JSON.stringify({ [wrong]: 1 }),
    });
    await ask(`${console_}/metrics`, { headers: { authorization: `Bearer ${wrong}` } });
    await ask(`${console_}/api/findings`, { headers: { cookie: `adyton_session=${wrong}` } });
  }
  const asAdmin = (path: string): Promise<Response> => ask(`${console_}${path}`, { headers: { cookie } });
  const pages = ["/api/accounts/acme-1", "/api/tokens", "/api/users", "/api/organizations/acme", "/metrics"];
  for (const path of [
    ...pages,
    "/api/ledger/records",
    "/api/health",
    "/",
    "/api/sign-in",
    "/api/sign-in/provider",
  ])
    await asAdmin(path);
  for (const line of [
    ["keys", "list"],
    ["tokens", "list"],
    ["accounts", "show", "acme-1"],
    ["organizations", "history", "acme"],
    ["config", "print"],
  ])
    await command(line);
  return { key, revoked: revoked["secret"] ?? "", endUserSecret, token, link, session };
}
