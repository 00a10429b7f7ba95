// A certified OpenID provider on loopback, with people made for tests, and a browser's way through its pages.
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import Provider from "oidc-provider";

export interface TestPerson {
  readonly subject: string;
  readonly email: string;
  readonly verified: boolean;
  readonly groups: readonly string[];
}

export interface TestProvider {
  readonly issuer: string;
  /** Walks from the authorization URL to the redirect back, signing in as the person; returns that address. */
  signIn(authorizationUrl: string, subject: string, redirectUri: string): Promise<string>;
  close(): Promise<void>;
}

export const CLIENT_ID = "adyton-console";
export const CLIENT_SECRET = "client-secret-made-for-tests";
const MAX_STEPS = 20;

export async function startProvider(
  people: readonly TestPerson[],
  { redirectUri }: { redirectUri: string },
): Promise<TestProvider> {
  let handle: RequestListener = (_request, response) => response.end();
  const server = createServer((request, response) => handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${portOf(server)}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [redirectUri],
        response_types: ["code"],
        grant_types: ["authorization_code"],
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["groups"] },
    pkce: { required: () => true },
    cookies: { keys: ["cookie-key-made-for-tests"] },
    findAccount: (_context, id) => {
      const person = people.find(({ subject }) => subject === id);
      if (person === undefined) return undefined;
      const { email, verified, groups } = person;
      return {
        accountId: id,
        claims: async () => ({ sub: id, email, email_verified: verified, groups: [...groups] }),
      };
    },
  });
  handle = provider.callback();
  return {
    issuer,
    signIn: (url, subject) => walk(url, subject, redirectUri),
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Follows redirects and fills in the provider's own development forms, with its cookies. */
async function walk(start: string, subject: string, redirectUri: string): Promise<string> {
  const cookies = new Map<string, string>();
  let url = start;
  let body: URLSearchParams | null = null;
  for (let step = 0; step < MAX_STEPS; step++) {
    const response: Response = await fetch(url, {
      method: body === null ? "GET" : "POST",
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      body,
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location !== null) {
      url = new URL(location, url).href;
      body = null;
      if (url.startsWith(redirectUri)) return url;
      continue;
    }
    const page = await response.text();
    const action = /action="([^"]+)"/.exec(page)?.[1];
    const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1];
    if (action === undefined || prompt === undefined)
      throw new Error(`expected a form of the provider, got ${response.status}: ${page.slice(0, 500)}`);
    url = new URL(action, url).href;
    body = new URLSearchParams({ prompt, login: subject, password: "any" });
  }
  throw new Error("expected the provider to send the browser back, got more steps than there can be");
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("expected a TCP address");
  return address.port;
}
