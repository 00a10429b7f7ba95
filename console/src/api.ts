// Talks to the API: every answer is parsed by the contract's schema before anything shows it.
import type { z } from "zod";
import { apiError } from "../../src/api/contract/common.ts";

/** An answer that was an error, or none at all. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;

  constructor(status: number, code: string, message: string, requestId: string | null) {
    super(message);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

type Query = Readonly<Record<string, string | number | undefined>>;

export function get<T>(schema: z.ZodType<T>, path: string, query: Query = {}): Promise<T> {
  return request(schema, "GET", withQuery(path, query));
}

function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  return search.size === 0 ? path : `${path}?${search}`;
}

export function send<T>(
  schema: z.ZodType<T>,
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body: unknown,
): Promise<T> {
  return request(schema, method, path, body);
}

/** Sends a file as it is. */
export async function sendFile<T>(
  schema: z.ZodType<T>,
  path: string,
  { query, file, type }: { query: Query; file: Blob; type: string },
): Promise<T> {
  return await parsed(schema, await answerOf("POST", withQuery(path, query), file, type));
}

/** A file that the server makes and hands out, with the name that it gives. */
export async function download(path: string, body: unknown): Promise<{ file: Blob; name: string }> {
  const response = await answerOf("POST", path, JSON.stringify(body));
  if (!response.ok) throw await failureOf(response);
  const name = /filename="([^"/\\]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1];
  return { file: await response.blob(), name: name ?? "bundle.zip" };
}

async function request<T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return await parsed(schema, await answerOf(method, path, text));
}

async function parsed<T>(schema: z.ZodType<T>, response: Response): Promise<T> {
  if (!response.ok) throw await failureOf(response);
  const answer: unknown = await response.json().catch(() => null);
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const requestId = response.headers.get("x-request-id");
  throw new ApiFailure(
    response.status,
    "unexpected",
    "The answer has another shape than this page knows. Reload it.",
    requestId,
  );
}

async function answerOf(
  method: string,
  path: string,
  body: string | Blob | undefined,
  type = "application/json",
): Promise<Response> {
  return await fetch(path, {
    method,
    credentials: "same-origin",
    // A header that a form or a foreign page cannot send: the server asks for it on every change.
    headers: method === "GET" ? {} : { "content-type": type, "x-adyton-console": "1" },
    ...(body === undefined ? {} : { body }),
  }).catch(() => {
    throw new ApiFailure(0, "unreachable", "The server did not answer. Is adyton serve running?", null);
  });
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const told = apiError.safeParse(await response.json().catch(() => null));
  if (!told.success)
    return new ApiFailure(response.status, "unexpected", `The server answered ${response.status}.`, null);
  const { code, message, requestId } = told.data.error;
  return new ApiFailure(response.status, code, message, requestId);
}
