// Proves that the one-file page gives the verdicts of the command, in a real browser with the network off.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { generateIdentity, identityToRecipient } from "age-encryption";
import type { Browser, Page } from "playwright-core";
import { verifierPage } from "../../scripts/build-verifier.ts";
import { utf8 } from "../../src/core/bytes.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { sha256 } from "../../src/core/sha256.ts";
import { encodeTimestampRequest, nonceOf } from "../../src/core/timestamp/request.ts";
import { memorySource } from "../../src/evidence/verify/byte-source.ts";
import { PATHS } from "../../src/evidence/verify/layout.ts";
import { verifyBundle } from "../../src/evidence/verify/verify-bundle.ts";
import { startBrowser } from "../helpers/browser.ts";
import { OPENSSL_MISSING, TestAuthority } from "../helpers/timestamp-authority.ts";
import { forged, openBundle } from "./forger.ts";
import { type CaseScene, caseScene } from "./scene.ts";

let scene: CaseScene;
let browser: Browser;
let page: Page;
const requests: string[] = [];
const problems: string[] = [];

before(async () => {
  scene = await caseScene({ days: 1, perDay: 1 });
  browser = await startBrowser();
  const context = await browser.newContext({ offline: true, viewport: { width: 900, height: 900 } });
  page = await context.newPage();
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("dialog", (dialog) => {
    problems.push(dialog.message());
    void dialog.dismiss();
  });
  const file = join(scene.folder, "verify.html");
  writeFileSync(file, await verifierPage());
  await page.goto(pathToFileURL(file).href);
});
after(async () => {
  await browser?.close();
  await scene?.end();
});

function file(name: string, content: Uint8Array): { name: string; mimeType: string; buffer: Buffer } {
  return { name, mimeType: "application/octet-stream", buffer: Buffer.from(content) };
}

/** Chooses the bundle anew and waits for the verdict. */
async function verdictOf(
  bytes: Uint8Array,
  policy: string | null,
  roots: string | null = null,
): Promise<string> {
  await page.reload();
  if (policy !== null) await page.setInputFiles("#policy", file("policy.txt", utf8(policy)));
  if (roots !== null) await page.setInputFiles("#roots", file("roots.pem", utf8(roots)));
  await page.setInputFiles("#bundle", file("bundle.zip", bytes));
  await page.locator("#result[data-verdict]").waitFor({ timeout: 60_000 });
  return (await page.locator("#result").getAttribute("data-verdict")) ?? "";
}

test("the page verifies what the command verifies, post-quantum signature included", async () => {
  const { bytes } = await scene.export();
  assert.equal(await verdictOf(bytes, null), "consistent");
  assert.equal(await verdictOf(bytes, scene.policy), "verified");
  const shown = await page.locator("#result").textContent();
  const { proved } = await verifyBundle(memorySource(bytes), { policy: utf8(scene.policy) });
  assert.equal(proved?.keys.length, 2);
  for (const key of proved?.keys ?? []) assert.ok(shown?.includes(key), `${key} is not shown`);
  assert.ok(shown?.includes(`${proved?.records}, each proved`));
  const pictures = process.env["ADYTON_PICTURES"];
  if (pictures !== undefined) {
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, "verify.png"), fullPage: true });
  }
});

test("the page rejects a forged bundle with the same reasons, and shows hostile text as text", async () => {
  const opened = await openBundle((await scene.export()).bytes);
  const bytes = forged(opened, (files) => {
    const header = JSON.parse(new TextDecoder().decode(files.get(PATHS.header))) as object;
    const title = "<img src=x onerror=alert(1)>";
    files.set(PATHS.header, utf8(canonicalJson({ ...header, title, origin: "<b>\u202ex</b>" })));
  });
  assert.equal(await verdictOf(bytes, scene.policy), "rejected");
  const { reasons } = await verifyBundle(memorySource(bytes), { policy: utf8(scene.policy) });
  const codes = await page.locator("#result code").allTextContents();
  assert.deepEqual(
    codes,
    reasons.map(({ code }) => code),
  );
  assert.equal(await page.locator("#result img, #result b").count(), 0);
});

test("the page holds timestamps against the roots that the reader brings", {
  skip: OPENSSL_MISSING,
}, async (t) => {
  const [authority, other] = [TestAuthority.make(), TestAuthority.make()];
  t.after(() => [authority, other].forEach((one) => void one.remove()));
  const { note, size } = await scene.log.checkpoint();
  const digest = sha256(utf8(note.slice(0, note.indexOf("\n\n") + 1)));
  const token = authority.reply(encodeTimestampRequest(digest, nonceOf(Buffer.alloc(16, 5))));
  const stamps = [{ size, note, token, root: authority.root }];
  const { bytes } = await scene.export({ stamps, recordsOnly: true });
  const shown = async (): Promise<string> => (await page.locator("#result").textContent()) ?? "";
  assert.equal(await verdictOf(bytes, scene.policy), "verified");
  assert.match(await shown(), /Authority for tests.*own word/);
  assert.equal(await verdictOf(bytes, scene.policy, authority.rootPem), "verified");
  assert.match(await shown(), /Authority for tests/);
  assert.doesNotMatch(await shown(), /own word/);
  assert.equal(await verdictOf(bytes, scene.policy, other.rootPem), "rejected");
  assert.match(await shown(), /timestamp-refused/);
});

test("a bundle that is encrypted to its recipient is told from a damaged one", async () => {
  const recipients = [await identityToRecipient(await generateIdentity())];
  const { bytes } = await scene.export({ recipients, recordsOnly: true });
  await page.reload();
  await page.setInputFiles("#bundle", file("bundle.zip.age", bytes));
  await page.getByText("decrypt it first").waitFor();
  assert.equal(await page.locator("#result").getAttribute("data-verdict"), null);
});

test("nothing was loaded but the page itself, and nothing went wrong", () => {
  assert.ok(
    requests.every((url) => url.startsWith("file:")),
    requests.join(),
  );
  assert.deepEqual(problems, []);
});
