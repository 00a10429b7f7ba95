// Asks the API as the console does (with a session's cookie) or as a machine does (with a token).
import { CSRF_HEADER } from "../../src/api/identity.ts";
import type { World } from "../helpers/world.ts";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly text: string;
  readonly headers: Headers;
}

export type Ask = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** `credentials`: `{ cookie }` or `{ authorization }`. */
export function asking(world: Pick<World, "api">, credentials: Readonly<Record<string, string>>): Ask {
  return async (method, path, body) => {
    const isUnsafe = method !== "GET";
    const response = await world.api.request(`http://console.test${path}`, {
      method,
      headers: {
        host: "console.test",
        ...(isUnsafe ? { "content-type": "application/json" } : {}),
        ...("cookie" in credentials ? { [CSRF_HEADER]: "1" } : {}),
        ...credentials,
      },
      ...(isUnsafe ? { body: JSON.stringify(body ?? {}) } : {}),
    });
    const text = await response.text();
    return { status: response.status, body: parsed(text), text, headers: response.headers };
  };
}

export function codeOf({ body }: Answer): string | undefined {
  return (body as { error?: { code?: string } } | null)?.error?.code;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
