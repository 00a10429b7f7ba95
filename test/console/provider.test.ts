// A person signs in through a real OpenID provider in a real browser: redirects, cookies and policies as browsers keep them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { IdentityProvider } from "../../src/api/identity-provider.ts";
import { openConsole, type TestConsole } from "../helpers/console.ts";
import { CLIENT_ID, CLIENT_SECRET, startProvider, type TestProvider } from "../helpers/openid-provider.ts";

let openid: TestProvider;
let served: TestConsole;

before(async () => {
  process.env["ADYTON_TEST_CLIENT_SECRET"] = CLIENT_SECRET;
  served = await openConsole(async (publicUrl) => {
    const ada = { subject: "ada", email: "ada@acme.test", verified: true, groups: ["security"] };
    const eve = { ...ada, subject: "eve", email: "eve@acme.test", groups: [] };
    openid = await startProvider([ada, eve], { redirectUri: `${publicUrl}/api/sign-in/provider/callback` });
    const config = {
      issuer: openid.issuer,
      label: "Acme SSO",
      clientId: CLIENT_ID,
      clientSecret: { env: "ADYTON_TEST_CLIENT_SECRET" },
      scope: "openid email profile",
      nameClaim: "email",
      roleClaim: "groups",
      roles: [{ value: "security", role: "analyst" }] as const,
      defaultRole: null,
    };
    return { provider: new IdentityProvider(config, { publicUrl, now: Date.now }) };
  });
});
after(async () => {
  await served?.close();
  await openid?.close();
});

for (const [subject, lands] of [
  ["ada", "ada@acme.test · analyst"],
  ["eve", "The identity provider did not let you in"],
] as const) {
  test(`${subject} goes to the provider and comes back: ${lands}`, async () => {
    const context = await served.browser.newContext();
    const page = await context.newPage();
    await page.goto(`${served.base}/findings`);
    await page.getByRole("link", { name: "Sign in with Acme SSO" }).click();
    await page.locator("input[name=login]").fill(subject);
    await page.locator("input[name=password]").fill("any");
    await page.locator("button[type=submit]").click();
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText(lands).waitFor();
    assert.ok(page.url().startsWith(served.base));
    assert.ok(!page.url().includes("code="), "the code must not stay in the address");
    await context.close();
  });
}
