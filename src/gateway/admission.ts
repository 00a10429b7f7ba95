// Decides whether a request is let in: key, route, method, log, and how much is in flight already.
import type { IncomingMessage } from "node:http";
import type { GatewayConfig } from "../config/gateway-section.ts";
import {
  type Authenticator,
  type Principal,
  principalOfUpstreamKey,
  principalOfVirtualKey,
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
  readonly #inFlightByEndUser: Map<string, number> = new Map();
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
    const { endUser } = principal;
    const ofEndUser = endUser === undefined ? 0 : (this.#inFlightByEndUser.get(endUser) ?? 0);
    if (ofEndUser >= config.limits.maxConcurrentPerEndUser) return refuse("gateway.too-many-for-end-user");
    return { admitted: true, principal, route };
  }

  /** Takes a place; give it back with `leave`. */
  enter({ account, endUser }: Principal): void {
    this.#inFlight += 1;
    take(this.#inFlightByAccount, account);
    if (endUser !== undefined) take(this.#inFlightByEndUser, endUser);
  }

  leave({ account, endUser }: Principal): void {
    this.#inFlight -= 1;
    giveBack(this.#inFlightByAccount, account);
    if (endUser !== undefined) giveBack(this.#inFlightByEndUser, endUser);
  }

  #principalOf(request: IncomingMessage): Principal | GatewayErrorCode {
    return this.#options.config.keyMode === "virtual"
      ? principalOfVirtualKey(request, this.#options.directory)
      : principalOfUpstreamKey(request, this.#options.accountOfUpstreamKey);
  }
}

function take(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** Names with nothing in flight are forgotten, so that the map stays as small as what is going on. */
function giveBack(counts: Map<string, number>, name: string): void {
  const rest = (counts.get(name) ?? 1) - 1;
  if (rest > 0) counts.set(name, rest);
  else counts.delete(name);
}
