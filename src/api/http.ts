// Reads requests through the contract's schemas. Everything a client sends is attacker-controlled until it has passed here.
import { getConnInfo } from "@hono/node-server/conninfo";
import type { z } from "zod";
import { ApiError } from "./errors.ts";
import type { ApiContext } from "./services.ts";

/** Largest body of any request: reasons and notes are the longest texts there are. */
export const MAX_BODY_BYTES: number = 64 * 1024;

/** @throws ApiError `api.bad-request` */
export function readQuery<T>(context: ApiContext, schema: z.ZodType<T>): T {
  return parse(schema, context.req.query(), "query");
}

/** @throws ApiError `api.bad-request` */
export async function readBody<T>(context: ApiContext, schema: z.ZodType<T>): Promise<T> {
  const type = context.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new ApiError("api.bad-request", `expected content-type application/json, got ${type ?? "none"}`);
  }
  const body: unknown = await context.req.json().catch((cause: unknown) => {
    throw new ApiError("api.bad-request", "expected a body that is JSON", { cause });
  });
  return parse(schema, body, "body");
}

/** A part of the path, decoded. */
export function pathPart(context: ApiContext, name: string): string {
  const value = context.req.param(name);
  if (value === undefined || value === "")
    throw new ApiError("api.not-found", `expected ${name} in the path`);
  return value;
}

/** Says which member is wrong and what was expected; never repeats the value, which may be a secret in the wrong place. */
function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const member = [what, ...(issue?.path ?? [])].join(".");
  throw new ApiError("api.bad-request", `${member}: ${issue?.message ?? "expected another value"}`);
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Milliseconds of a time that the contract has checked. */
export function msOrNull(time: string | null): number | null {
  return time === null ? null : Date.parse(time);
}

export function isoTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}

/** The peer's address. Behind a proxy everybody shares its address, and with it the limit: that errs to the safe side. */
export function callerOf(context: ApiContext): string {
  try {
    return getConnInfo(context).remote.address ?? "local";
  } catch {
    return "local"; // called without a socket, as the Unix socket and in-process callers do
  }
}
