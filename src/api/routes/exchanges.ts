// One exchange: figures for whoever may look around, content only for a written reason that is in the log first.

import { exchangeOf } from "../../core/decode/exchange-of.ts";
import { asObject, parseJsonBytes } from "../../core/decode/json.ts";
import { promptOf } from "../../detect/features/prompt.ts";
import { decompress } from "../../log/content-coding.ts";
import type { SealedRecord } from "../../log/sealed-log.ts";
import { append } from "../acts.ts";
import { demandAgreement } from "../agreement.ts";
import { exchangeById } from "../analysis.ts";
import { type Body, type Exchange, type Revealed, revealBody } from "../contract/exchanges.ts";
import { ApiError } from "../errors.ts";
import { isoTime, pathPart, readBody } from "../http.ts";
import type { ApiOptions, Handlers } from "../services.ts";

/** Most of a body that one answer of the API carries; the log holds the whole. */
const MAX_SHOWN_BYTES = 1024 * 1024;
const NOTHING = new Uint8Array(0);

export const exchangeHandlers: Handlers<"GET /api/exchanges/:id" | "POST /api/exchanges/:id/reveal"> = {
  "GET /api/exchanges/:id": async (context, options) =>
    context.json(await describe(pathPart(context, "id"), options)),
  "POST /api/exchanges/:id/reveal": async (context, options) => {
    const { reason } = await readBody(context, revealBody);
    const { actor } = context.get("identity");
    const subject = pathPart(context, "id");
    await demandAgreement({ action: "open-content", subject, reason, by: actor }, options);
    return context.json(await reveal(pathPart(context, "id"), { reason, actor }, options));
  },
};

/** From the store and the public leaves alone: nothing is decrypted. */
async function describe(id: string, { store, log }: ApiOptions): Promise<Exchange> {
  const place = await log.findExchange(id);
  const open = place.open === undefined ? null : await log.record(place.open);
  const close = place.close === undefined ? null : await log.record(place.close);
  const stored = await exchangeById(store, id, open?.account ?? null);
  if (stored === null) {
    const isNew = open !== null && open.content !== null;
    throw new ApiError(
      "api.not-found",
      isNew ? "The store has not read this exchange yet." : "There is no such exchange.",
    );
  }
  return {
    ...stored,
    tookMs:
      open === null || close === null
        ? null
        : Math.max(0, Date.parse(close.leaf.time) - Date.parse(open.leaf.time)),
    interrupted: close?.leaf.kind === "interrupted",
    openIndex: place.open ?? null,
    closeIndex: place.close ?? null,
    erased: open !== null && open.content === null,
  };
}

/**
 * The order is the point: the act is durable in the log before any content is decoded for the answer.
 * @throws ApiError `api.not-found`, `api.not-sealed`, `api.erased`; LogError when the act can't be made durable
 */
async function reveal(
  id: string,
  { reason, actor }: { reason: string; actor: string },
  options: ApiOptions,
): Promise<Revealed> {
  const { log, clock, writer } = options;
  const place = await log.findExchange(id);
  if (place.open === undefined)
    throw new ApiError("api.not-sealed", "expected sealed records of this exchange, got none");
  const open = await log.record(place.open);
  if (open.content === null) throw new ApiError("api.erased", "expected content, got an erased record");
  const at = isoTime(clock());
  // Under the installation's own key, not the account's: who looked must stay known after the account was erased.
  const act = { act: "content.revealed", account: null, detail: { exchange: id, reason } } as const;
  const { sequence, durable } = append(act, actor, options);
  await durable;
  const close = place.close === undefined ? null : await log.record(place.close);
  const look = { name: act.act, writer: writer.name, sequence, reason, at };
  return { exchange: id, account: open.account ?? "", act: look, ...contentOf(open, open.content, close) };
}

type Content = Omit<Revealed, "exchange" | "account" | "act">;

/** Everything here is attacker-controlled and goes out as JSON strings. */
function contentOf(
  open: SealedRecord,
  sent: ReadonlyMap<string, Uint8Array>,
  close: SealedRecord | null,
): Content {
  const exchange = close === null ? null : exchangeOf(open, close, { decompress });
  const request = plain(sent, "request");
  const network = asObject(parseJsonBytes(sent.get("network") ?? NOTHING)) ?? {};
  const received = close?.content ?? null;
  const { messages } = promptOf(exchange?.request ?? parseJsonBytes(request) ?? null);
  return {
    messages: messages.map(({ role, text }) => ({ role, text })),
    answer: exchange === null || received === null ? null : answerOf(exchange.answer),
    request: shown(request),
    response: received === null ? null : shown(plain(received, "response")),
    headers: headerPairs(sent),
    origin: {
      ip: textOrNull(network["ip"]),
      ja4: textOrNull(network["ja4"]),
      key: textOrNull(network["key"]),
    },
  };
}

function answerOf(answer: {
  text: string;
  finishReason: string | null;
  toolCalls: readonly unknown[];
}): Revealed["answer"] {
  const { text, finishReason, toolCalls } = answer;
  return {
    text,
    finishReason,
    toolCalls: toolCalls.length === 0 ? null : JSON.stringify(toolCalls, null, 2),
  };
}

function headerPairs(content: ReadonlyMap<string, Uint8Array>): [string, string][] {
  const pairs: unknown = parseJsonBytes(content.get("headers") ?? NOTHING);
  if (!Array.isArray(pairs)) return [];
  return pairs.flatMap((pair: unknown) =>
    Array.isArray(pair) && typeof pair[0] === "string" && typeof pair[1] === "string"
      ? [[pair[0], pair[1]]]
      : [],
  );
}

/** A body without its content encodings, as far as they can be undone. */
function plain(content: ReadonlyMap<string, Uint8Array>, field: "request" | "response"): Uint8Array {
  const bytes = content.get(field) ?? NOTHING;
  const pair = headerPairs(content).find(([name]) => name.toLowerCase() === "content-encoding");
  const encoding = pair?.[1].trim().toLowerCase() ?? "identity";
  return encoding === "identity" || encoding === "" ? bytes : (decompress(bytes, encoding) ?? bytes);
}

function shown(bytes: Uint8Array): Body {
  const truncated = bytes.length > MAX_SHOWN_BYTES;
  const text = new TextDecoder().decode(truncated ? bytes.subarray(0, MAX_SHOWN_BYTES) : bytes);
  return { text, bytes: bytes.length, truncated };
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
