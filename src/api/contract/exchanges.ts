// Exchanges: lists of them, one with its figures, and one with its content after a stated reason.
import { z } from "zod";
import { all, count, maybeCount, maybeText, type Page, type Paging, pageOf, paging, time } from "./common.ts";

/** Shortest and longest reason for looking at content, in characters after trimming. */
export const REASON_MIN = 10;
export const REASON_MAX = 500;

/** Whether the client got an answer it can learn from. */
export type Ending = "served" | "failed";
export const ENDINGS: readonly Ending[] = ["served", "failed"];

export type ExchangesQuery = Paging & { ending?: Ending | undefined };
export const exchangesQuery: z.ZodType<ExchangesQuery> = z.object({
  ending: z.enum(ENDINGS).optional(),
  ...paging,
});

const reason = z.string().trim().min(REASON_MIN).max(REASON_MAX);
export const revealBody: z.ZodType<{ reason: string }> = z.strictObject({ reason });

export interface ExchangeSummary {
  id: string;
  account: string;
  openedAt: string;
  endpoint: string;
  /** As the client asked for it. Attacker-controlled. */
  model: string;
  /** HTTP status the client got; 0 when it got none. */
  status: number;
  ending: Ending;
  promptTokens: number;
  completionTokens: number;
}
const exchangeFields = {
  ...all(z.string(), "id", "account", "endpoint", "model"),
  ...all(count, "status", "promptTokens", "completionTokens"),
  openedAt: time,
  ending: z.enum(ENDINGS),
};
export const exchangeSummary: z.ZodType<ExchangeSummary> = z.object(exchangeFields);
export const exchangePage: z.ZodType<Page<ExchangeSummary>> = pageOf(exchangeSummary);

/** Figures only: address, headers, key and bodies are content, which `reveal` gives. */
export interface Exchange extends ExchangeSummary {
  /** From request to answer, by the records' times; null while the answer is not sealed. */
  tookMs: number | null;
  /** True when a crash cut it: there is no answer. */
  interrupted: boolean;
  /** Places of the two records in the log; null while they are not sealed. */
  openIndex: number | null;
  closeIndex: number | null;
  /** True when the content's key was destroyed: nothing can be revealed any more. */
  erased: boolean;
  asn: number | null;
  country: string | null;
}
export const exchange: z.ZodType<Exchange> = z.object({
  ...exchangeFields,
  ...all(maybeCount, "openIndex", "closeIndex", "asn", "tookMs"),
  ...all(z.boolean(), "interrupted", "erased"),
  country: maybeText,
});

/** Bytes in the clear. Attacker-controlled: to be shown as text and as nothing else. */
export type Body = { text: string; bytes: number; truncated: boolean };
const body = z.object({ text: z.string(), bytes: count, truncated: z.boolean() });
const act = { ...all(z.string(), "name", "writer", "reason"), sequence: count, at: time };
export interface Revealed {
  exchange: string;
  account: string;
  /** The act that records this look; the log held it durably before this answer was made. */
  act: { name: string; writer: string; sequence: number; reason: string; at: string };
  messages: { role: string; text: string }[];
  answer: { text: string; finishReason: string | null; toolCalls: string | null } | null;
  request: Body;
  response: Body | null;
  headers: [name: string, value: string][];
  /** What the network and the authentication said of the caller. */
  origin: { ip: string | null; ja4: string | null; key: string | null };
}
export const revealed: z.ZodType<Revealed> = z.object({
  ...all(z.string(), "exchange", "account"),
  act: z.object(act),
  messages: z.array(z.object({ role: z.string(), text: z.string() })),
  answer: z.object({ text: z.string(), finishReason: maybeText, toolCalls: maybeText }).nullable(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  origin: z.object(all(maybeText, "ip", "ja4", "key")),
  request: body,
  response: body.nullable(),
});
