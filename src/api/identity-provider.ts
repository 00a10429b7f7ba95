// Signs people in through an OpenID provider: authorization code with PKCE, state and nonce, bound to one browser.
import { randomBytes } from "node:crypto";
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  fetchUserInfo,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from "openid-client";
import type { ProviderConfig } from "../config/provider-section.ts";
import { readSecret } from "../config/secret.ts";
import { ROLES, type Role } from "../core/role.ts";
import type { Person } from "../state/person-identities.ts";

/** One person's way to the provider and back. */
interface Flow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly untilMs: number;
}

export const FLOW_LIFE_MS = 600_000;
/** Flows that were begun and not ended; the oldest give way. */
const MAX_FLOWS = 1_000;
const FLOW_ID_BYTES = 32;
const TIMEOUT_SECONDS = 10;

type Claims = Readonly<Record<string, unknown>>;

export class IdentityProvider {
  readonly config: ProviderConfig;
  readonly #redirectUri: string;
  readonly #now: () => number;
  readonly #flows = new Map<string, Flow>();
  #client: Promise<Configuration> | null = null;

  /** @param publicUrl where people reach the console */
  constructor(config: ProviderConfig, { publicUrl, now }: { publicUrl: string; now: () => number }) {
    this.config = config;
    this.#redirectUri = `${publicUrl.replace(/\/$/, "")}/api/sign-in/provider/callback`;
    this.#now = now;
  }

  /** Where to send the browser, and what it must bring back in a cookie. Throws when the provider can't be reached. */
  async begin(): Promise<{ url: URL; flow: string }> {
    const client = await this.#discovered();
    const flow = { state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() };
    const id = randomBytes(FLOW_ID_BYTES).toString("base64url");
    const url = buildAuthorizationUrl(client, {
      redirect_uri: this.#redirectUri,
      scope: this.config.scope,
      state: flow.state,
      nonce: flow.nonce,
      code_challenge: await calculatePKCECodeChallenge(flow.verifier),
      code_challenge_method: "S256",
    });
    this.#flows.set(id, { ...flow, untilMs: this.#now() + FLOW_LIFE_MS });
    for (const old of this.#flows.keys()) {
      if (this.#flows.size <= MAX_FLOWS) break;
      this.#flows.delete(old);
    }
    return { url, flow: id };
  }

  /**
   * Who came back. Null: a flow that this browser did not begin or that took too long, or a person without a name or a
   * role here. Throws what the protocol refuses: a wrong state, nonce, signature or code. A flow works once.
   */
  async end(query: string, flowId: string | undefined): Promise<Person | null> {
    const flow = flowId === undefined ? undefined : this.#flows.get(flowId);
    if (flowId === undefined || flow === undefined) return null;
    this.#flows.delete(flowId);
    if (flow.untilMs <= this.#now()) return null;
    const client = await this.#discovered();
    const answer = new URL(this.#redirectUri);
    answer.search = query;
    const tokens = await authorizationCodeGrant(client, answer, {
      expectedState: flow.state,
      expectedNonce: flow.nonce,
      pkceCodeVerifier: flow.verifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (claims === undefined) return null;
    return this.#personOf(await this.#completed(client, claims, tokens.access_token));
  }

  /** Providers differ in which claims stand in the id token; the rest is asked for. */
  async #completed(client: Configuration, claims: Claims, accessToken: string): Promise<Claims> {
    const { nameClaim, roleClaim } = this.config;
    const isWhole = claims[nameClaim] !== undefined && claims[roleClaim] !== undefined;
    if (isWhole || client.serverMetadata().userinfo_endpoint === undefined) return claims;
    const more: Claims = await fetchUserInfo(client, accessToken, String(claims["sub"]));
    return { ...more, ...claims };
  }

  #personOf(claims: Claims): Person | null {
    const { nameClaim } = this.config;
    const name = claims[nameClaim];
    const role = this.#roleOf(claims[this.config.roleClaim]);
    if (typeof name !== "string" || name === "" || role === null) return null;
    // Whoever may type any address into a form at the provider must not become somebody by it.
    if (nameClaim === "email" && claims["email_verified"] === false) return null;
    return { issuer: String(claims["iss"]), subject: String(claims["sub"]), name, role };
  }

  #roleOf(claim: unknown): Role | null {
    const values = new Set(Array.isArray(claim) ? claim : [claim]);
    const given = this.config.roles.filter(({ value }) => values.has(value)).map(({ role }) => role);
    return ROLES.findLast((role) => given.includes(role)) ?? this.config.defaultRole;
  }

  /** Once; after a failure again at the next attempt. */
  #discovered(): Promise<Configuration> {
    this.#client ??= this.#discover().catch((error: unknown) => {
      this.#client = null;
      throw error;
    });
    return this.#client;
  }

  async #discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = this.config;
    const authentication = clientSecret === null ? None() : ClientSecretPost(await readSecret(clientSecret));
    const url = new URL(issuer);
    // The configuration allows plain HTTP for this machine only.
    const execute = url.protocol === "http:" ? [allowInsecureRequests] : [];
    return await discovery(url, clientId, undefined, authentication, { execute, timeout: TIMEOUT_SECONDS });
  }
}
