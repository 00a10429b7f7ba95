// People sign in through a real OpenID provider; everything that could be forged on the way is refused.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createApi } from "../../src/api/app.ts";
import { IdentityProvider } from "../../src/api/identity-provider.ts";
import type { ProviderConfig } from "../../src/config/provider-section.ts";
import {
  CLIENT_ID,
  CLIENT_SECRET,
  startProvider,
  type TestPerson,
  type TestProvider,
} from "../helpers/openid-provider.ts";
import { openWorld, type World } from "../helpers/world.ts";

const PUBLIC_URL = "http://console.test";
const REDIRECT_URI = `${PUBLIC_URL}/api/sign-in/provider/callback`;
const person = (subject: string, groups: readonly string[], more: Partial<TestPerson> = {}): TestPerson => ({
  subject,
  email: `${subject}@acme.test`,
  verified: true,
  groups,
  ...more,
});
const PEOPLE = [
  person("ada", ["staff", "security", "security-leads"]),
  person("vi", ["staff"]),
  person("stranger", []),
  person("unverified", ["staff"], { verified: false }),
  person("imposter", ["staff"], { email: "admin" }),
];

let world: World;
let openid: TestProvider;
let config: ProviderConfig;
let nowMs = Date.now();

before(async () => {
  process.env["ADYTON_TEST_CLIENT_SECRET"] = CLIENT_SECRET;
  openid = await startProvider(PEOPLE, { redirectUri: REDIRECT_URI });
  config = {
    issuer: openid.issuer,
    label: "Acme SSO",
    clientId: CLIENT_ID,
    clientSecret: { env: "ADYTON_TEST_CLIENT_SECRET" },
    scope: "openid email profile",
    nameClaim: "email",
    roleClaim: "groups",
    roles: [
      { value: "staff", role: "viewer" },
      { value: "security-leads", role: "approver" },
      { value: "security", role: "analyst" },
    ],
    defaultRole: null,
  };
  world = await openWorld();
});
after(async () => {
  await world?.close();
  await openid?.close();
});

type Api = Awaited<ReturnType<typeof createApi>>;

/** Time passes a minute with each question, so that the limit of attempts, which has its own test, stays away. */
async function consoleWith(change: Partial<ProviderConfig> = {}): Promise<Api> {
  const provider = new IdentityProvider(
    { ...config, ...change },
    { publicUrl: PUBLIC_URL, now: () => nowMs },
  );
  let minute = nowMs;
  return await createApi({ ...world.options, provider, clock: () => (minute += 60_000) });
}

function cookieOf(response: Response, name: string): string | undefined {
  const found = response.headers.getSetCookie().find((cookie) => cookie.startsWith(`${name}=`));
  const value = found?.slice(name.length + 1).split(";")[0];
  return value === "" ? undefined : value;
}

async function begin(api: Api): Promise<{ url: string; flow: string }> {
  const response = await api.request(`${PUBLIC_URL}/api/sign-in/provider`);
  assert.equal(response.status, 302, await response.clone().text());
  const cookie = response.headers.getSetCookie()[0] ?? "";
  assert.match(cookie, /HttpOnly/);
  assert.match(cookie, /SameSite=Lax/);
  const url = response.headers.get("location") ?? "";
  assert.ok(url.includes("code_challenge_method=S256") && url.includes("nonce="));
  return { url, flow: cookieOf(response, "adyton_sign_in") ?? "" };
}

async function end(
  api: Api,
  back: string,
  flow: string | null,
): Promise<{ to: string; session: string | undefined }> {
  const headers = flow === null ? {} : { cookie: `adyton_sign_in=${flow}` };
  const response = await api.request(back, { headers });
  assert.equal(response.status, 302);
  return { to: response.headers.get("location") ?? "", session: cookieOf(response, "adyton_session") };
}

async function signIn(api: Api, subject: string): Promise<{ to: string; session: string | undefined }> {
  const { url, flow } = await begin(api);
  return await end(api, await openid.signIn(url, subject, REDIRECT_URI), flow);
}

const REFUSED = { to: "/sign-in#refused", session: undefined };

describe("through the identity provider", () => {
  test("people get the highest role that their groups give, and a session like any other", async () => {
    const api = await consoleWith();
    const { to, session } = await signIn(api, "ada");
    assert.equal(to, "/");
    const response = await api.request(`${PUBLIC_URL}/api/session`, {
      headers: { cookie: `adyton_session=${session}` },
    });
    const { user } = (await response.json()) as { user: object };
    assert.deepEqual(user, { name: "ada@acme.test", role: "approver" });
    assert.equal((await world.state.users.get("ada@acme.test"))?.role, "approver");
    const ways = await (await api.request(`${PUBLIC_URL}/api/sign-in`)).json();
    assert.deepEqual(ways, { provider: "Acme SSO" });
  });

  test("who has no role here, no verified address or somebody else's name stays outside", async () => {
    const api = await consoleWith();
    await world.link("admin", "admin");
    assert.deepEqual(await signIn(api, "stranger"), REFUSED);
    assert.deepEqual(await signIn(api, "unverified"), REFUSED);
    assert.deepEqual(await signIn(api, "imposter"), REFUSED);
    assert.equal((await world.state.users.get("admin"))?.role, "admin");
    const open = await consoleWith({ defaultRole: "viewer" });
    assert.equal((await signIn(open, "stranger")).to, "/");
  });

  test("a flow belongs to one browser, works once, and ends", async () => {
    const api = await consoleWith();
    const { url, flow } = await begin(api);
    const back = await openid.signIn(url, "vi", REDIRECT_URI);
    assert.deepEqual(await end(api, back, null), REFUSED);
    const other = await begin(api);
    assert.deepEqual(await end(api, back, other.flow), REFUSED, "somebody else's answer in my browser");
    assert.equal((await end(api, back, flow)).to, "/");
    assert.deepEqual(await end(api, back, flow), REFUSED);
    const late = await begin(api);
    const lateBack = await openid.signIn(late.url, "vi", REDIRECT_URI);
    nowMs += 600_000;
    assert.deepEqual(await end(api, lateBack, late.flow), REFUSED);
  });

  test("a wrong state, code or error from outside is refused", async () => {
    const api = await consoleWith();
    for (const change of [
      (back: URL) => back.searchParams.set("state", "other"),
      (back: URL) => back.searchParams.set("code", "other"),
      (back: URL) => back.searchParams.set("iss", "https://evil.test"),
      (back: URL) => {
        back.search = "?error=access_denied";
      },
      (back: URL) => {
        back.search = "";
      },
    ]) {
      const { url, flow } = await begin(api);
      const back = new URL(await openid.signIn(url, "vi", REDIRECT_URI));
      change(back);
      assert.deepEqual(await end(api, back.href, flow), REFUSED);
    }
  });

  test("no provider, or one that does not answer, is said plainly; attempts are counted", async () => {
    const none = await world.api.request(`${PUBLIC_URL}/api/sign-in/provider`);
    assert.equal(none.status, 503);
    const gone = await consoleWith({ issuer: "http://127.0.0.1:9" });
    assert.equal((await gone.request(`${PUBLIC_URL}/api/sign-in/provider`)).status, 502);
    const provider = new IdentityProvider(config, { publicUrl: PUBLIC_URL, now: () => nowMs });
    const limited = await createApi({ ...world.options, provider, clock: () => 1_000_000 });
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 11; attempt++)
      statuses.push((await limited.request(`${PUBLIC_URL}/api/sign-in/provider`)).status);
    assert.deepEqual([statuses[9], statuses[10]], [302, 429]);
  });
});
