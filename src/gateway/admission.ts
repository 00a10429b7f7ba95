// Decides whether a request is let in: key, route, method, log, and how much is in flight already.
import type { IncomingMessage } from "node:http";
import type { GatewayConfig } from "../config/gateway-section.ts";
import {
  type Authenticator,
  type Principal,
  principalOfUpstreamKey,
  principalOfVirtualKey,
  secretOf,
} from "./credentials.ts";
import type { GatewayErrorCode } from "./errors.ts";
import { type Route, routeOf } from "./routes.ts";
import type { Shared } from "./shared.ts";

/** `principal` is null when the caller did not prove to be anybody: such a request is counted, not recorded. */
export type Decision =
  | { readonly admitted: true; readonly principal: Principal; readonly route: Route }
  | { readonly admitted: false; readonly principal: Principal | null; readonly code: GatewayErrorCode };

export interface AdmissionOptions {
  readonly config: GatewayConfig;
  readonly directory: Authenticator;
  readonly shared: Shared;
  /** Pass-through mode: the account that stands for an upstream's key. A keyed hash. */
  readonly accountOfUpstreamKey: (secret: string) => string;
}

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #inFlightByAccount: Map<string, number> = new Map();
  #inFlight = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Checks in the order of cost and of what a stranger may learn: the key first, everything else after it. */
  decide(request: IncomingMessage): Decision {
    const { config, shared } = this.#options;
    const principal = this.#principalOf(request);
    if (typeof principal === "string") return { admitted: false, principal: null, code: principal };
    const refuse = (code: GatewayErrorCode): Decision => ({ admitted: false, principal, code });
    if (!shared.recorder.accepts)
      return { admitted: false, principal: null, code: "gateway.log-unavailable" };
    if (shared.isStopping) return refuse("gateway.stopping");
    const { headers, method = "", url = "" } = request;
    const route = routeOf(url, { passThroughPaths: config.passThroughPaths, headers });
    if (route === null) return refuse("gateway.not-found");
    if (route.methods !== null && !route.methods.includes(method))
      return refuse("gateway.method-not-allowed");
    if (this.#inFlight >= config.limits.maxConcurrentStreams) return refuse("gateway.too-many-streams");
    const ofAccount = this.#inFlightByAccount.get(principal.account) ?? 0;
    if (ofAccount >= config.limits.maxConcurrentPerAccount) return refuse("gateway.too-many-for-account");
    return { admitted: true, principal, route };
  }

  /** Takes a place; give it back with `leave`. */
  enter({ account }: Principal): void {
    this.#inFlight += 1;
    this.#inFlightByAccount.set(account, (this.#inFlightByAccount.get(account) ?? 0) + 1);
  }

  leave({ account }: Principal): void {
    this.#inFlight -= 1;
    const rest = (this.#inFlightByAccount.get(account) ?? 1) - 1;
    if (rest > 0) this.#inFlightByAccount.set(account, rest);
    else this.#inFlightByAccount.delete(account);
  }

  #principalOf(request: IncomingMessage): Principal | GatewayErrorCode {
    const secret = secretOf(request.headers);
    return this.#options.config.keyMode === "virtual"
      ? principalOfVirtualKey(secret, this.#options.directory)
      : principalOfUpstreamKey(secret, this.#options.accountOfUpstreamKey);
  }
}
