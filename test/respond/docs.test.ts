// docs/response.md shows real answers: what stands there is what a gateway says, with times and identifiers made plain.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { json } from "../helpers/upstream.ts";
import { startEnforcing } from "./enforcing.ts";

const PAGE = fileURLToPath(new URL("../../docs/response.md", import.meta.url));
/** With this set, the examples are written into the page instead of compared. */
const WRITES = process.env["ADYTON_WRITE_EXAMPLES"] === "1";
const SHOWN = /^(adyton-|retry-after|ratelimit-|content-type)/;
const QUESTION = { model: "m", messages: [{ role: "user", content: "Say hello." }] };

it("the examples of docs/response.md are real answers", async (t) => {
  const gateway = await startEnforcing(t, {
    upstream: json({ object: "chat.completion", choices: [] }),
    respond: {
      appeals: { publicUrl: "https://api.example.com", contact: "help@example.com" },
      budgets: [{ name: "daily", scope: "account", unit: "requests", limit: 2 }],
      slow: { requests: 1, windowSeconds: 3600 },
    },
  });
  const ask = async (account: string, path: string, body: object = QUESTION): Promise<Response> => {
    const key = await gateway.key(account);
    return await fetch(`${gateway.url}${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        "x-request-id": "req-1",
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
    });
  };
  const chat = "/v1/chat/completions";
  for (const measure of ["reduce", "slow", "verify", "quarantine"] as const)
    await gateway.measure(measure, [measure]);
  await ask("slow", chat);
  for (let count = 0; count < 2; count += 1) await ask("spent", chat);
  const refused = await ask("quarantine", chat);
  const appeal = new URL(refused.headers.get("adyton-appeal") ?? "").pathname;
  const examples: Readonly<Record<string, string>> = {
    reduce: await headersOf(await ask("reduce", chat, { ...QUESTION, logprobs: true })),
    slow: await shown(await ask("slow", chat)),
    verify: await shown(await ask("verify", chat)),
    "quarantine-openai": await shown(refused),
    "quarantine-anthropic": await shown(
      await ask("quarantine", "/v1/messages", { ...QUESTION, max_tokens: 5 }),
    ),
    "quarantine-ollama": await shown(await ask("quarantine", "/api/chat")),
    appeal: await shown(await fetch(`${gateway.url}${appeal}`)),
    budget: await shown(await ask("spent", chat)),
  };
  let page = await readFile(PAGE, "utf8");
  for (const [name, text] of Object.entries(examples)) {
    const block = new RegExp(`<!-- example ${name} -->\n[\\s\\S]*?<!-- end -->`);
    assert.match(page, block, `expected a place for the example ${name}`);
    const wanted = `<!-- example ${name} -->\n\`\`\`http\n${text}\n\`\`\`\n<!-- end -->`;
    if (WRITES) page = page.replace(block, () => wanted);
    else assert.equal(block.exec(page)?.[0], wanted, "ADYTON_WRITE_EXAMPLES=1 writes the examples again");
  }
  if (WRITES) await writeFile(PAGE, page);
});

async function headersOf(response: Response): Promise<string> {
  await response.arrayBuffer();
  const lines = [...response.headers].filter(([name]) => /^adyton-/.test(name));
  return plain(
    [`HTTP/1.1 ${response.status}`, ...lines.map(([name, value]) => `${name}: ${value}`)].join("\n"),
  );
}

async function shown(response: Response): Promise<string> {
  const lines = [...response.headers].filter(([name]) => SHOWN.test(name));
  const body = JSON.stringify(await response.json(), null, 2);
  const head = [`HTTP/1.1 ${response.status}`, ...lines.map(([name, value]) => `${name}: ${value}`)];
  return plain(`${head.join("\n")}\n\n${body}`);
}

/** What differs from run to run, made the same: references, times, and what is left of a window. */
function plain(text: string): string {
  return text
    .replace(/ap_[0-9a-z]{32}/g, "ap_7k2m…")
    .replace(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, "2026-03-04T05:06:07.000Z")
    .replace(/^(retry-after|ratelimit-reset): \d+$/gm, "$1: 42");
}
