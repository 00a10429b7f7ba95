// One request from its head to the moment it is forwarded or refused.
import type { IncomingMessage, ServerResponse } from "node:http";
import { reduceRequest } from "../core/reduction.ts";
import type { Admission, Decision } from "./admission.ts";
import { APPEALS_PATH, type AppealDesk } from "./appeals.ts";
import { type BodyResult, readBody } from "./body.ts";
import type { Principal } from "./credentials.ts";
import type { GatewayErrorCode } from "./errors.ts";
import { type ExchangeIds, validRequestId } from "./exchange-id.ts";
import { Forwarding } from "./forwarding.ts";
import { loggedPairs, upstreamHeaders } from "./headers.ts";
import { InFlight } from "./in-flight.ts";
import type { Grant, Notice, Ruling } from "./measures.ts";
import type { NetworkReader } from "./network.ts";
import type { Identity } from "./recorder.ts";
import { refusalOf } from "./refusal.ts";
import { recordRefusal, sendRefusal } from "./refuse.ts";
import { type Family, familyOfPath, type Route } from "./routes.ts";
import type { Shared } from "./shared.ts";
import type { Upstreams } from "./upstreams.ts";

export interface HandlerOptions {
  readonly shared: Shared;
  readonly admission: Admission;
  readonly upstreams: Upstreams;
  readonly network: NetworkReader;
  readonly ids: ExchangeIds;
  /** Null: no appeals are taken here. */
  readonly appeals: AppealDesk | null;
}

/** A request as it arrived, before anything is known of it. */
interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly exchange: string;
  readonly requestId: string;
  readonly startedMs: number;
}

type LetIn = Extract<Decision, { admitted: true }>;

/** What an admitted request holds of the worker's limits. */
interface Place {
  reserve(bytes: number): boolean;
  release(): void;
}

export class Handler {
  readonly #options: HandlerOptions;
  /** Exchanges in flight. The worker sweeps them, and cuts what is left when it stops. */
  readonly active: InFlight<Forwarding> = new InFlight();
  /** Called whenever the last exchange in flight is over, and no answer is owed. */
  onIdle: (() => void) | null = null;
  /** Requests without a place in flight that wait for their answer: held, being refused, or at the desk for appeals. */
  #owed = 0;

  constructor(options: HandlerOptions) {
    this.#options = options;
  }

  /** Nobody waits for an answer. */
  get isIdle(): boolean {
    return this.#owed === 0 && this.#options.shared.metrics.inFlight === 0;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { shared, admission, ids, appeals } = this.#options;
    if (appeals !== null && request.url?.startsWith(APPEALS_PATH) === true) {
      this.#owe(response);
      appeals.handle(request, response);
      return;
    }
    shared.metrics.requests += 1;
    const exchange = ids.next();
    const requestId = validRequestId(request.headers["x-request-id"]) ?? exchange;
    const arrival: Arrival = { request, response, exchange, requestId, startedMs: performance.now() };
    const decision = admission.decide(request);
    if (!decision.admitted) {
      const { principal, code } = decision;
      const identity = principal === null ? null : this.#identityOf(arrival, principal);
      this.#refuse(arrival, code, identity, familyOfPath(pathOf(request)));
      return;
    }
    // Who has left, or comes too late, takes no turn of others.
    const isGone = (): boolean => response.destroyed || shared.isStopping;
    const ruling = shared.measures === null ? null : shared.measures.rule(decision.principal, isGone);
    if (ruling === null) this.#admitted(arrival, decision, null);
    else if (ruling instanceof Promise) this.#awaited(arrival, decision, ruling);
    else this.#ruled(arrival, decision, ruling);
  }

  /** A counter is asked, or the request is held; the client may leave meanwhile. */
  #awaited(arrival: Arrival, decision: LetIn, ruling: Promise<Ruling>): void {
    this.#owed += 1;
    ruling
      .then(
        (settled) => this.#ruled(arrival, decision, settled),
        (error: unknown) => {
          this.#options.shared.log.error({ err: error }, "a measure could not be applied");
          const identity = this.#identityOf(arrival, decision.principal);
          this.#refuse(arrival, "gateway.budget-unavailable", identity, decision.route.family);
        },
      )
      .finally(() => this.#paid());
  }

  /** A measure or a budget applies. */
  #ruled(arrival: Arrival, decision: LetIn, ruling: Ruling): void {
    const { shared } = this.#options;
    if (arrival.response.destroyed) shared.metrics.leftEarly += 1;
    else if (shared.isStopping) {
      const identity = this.#identityOf(arrival, decision.principal);
      this.#refuse(arrival, "gateway.stopping", identity, decision.route.family);
    } else if (ruling.grant !== null) this.#admitted(arrival, decision, ruling.grant);
    else {
      const { code, notice } = ruling.refusal;
      const identity = this.#identityOf(arrival, decision.principal);
      this.#refuse(arrival, code, identity, decision.route.family, notice);
    }
  }

  #admitted(arrival: Arrival, { principal, route }: LetIn, grant: Grant | null): void {
    const { shared } = this.#options;
    const { request } = arrival;
    const identity = this.#identityOf(arrival, principal);
    const place = this.#enter(principal);
    const limits = { maxBytes: shared.limits.maxBodyBytes, reserve: place.reserve };
    readBody(request, limits, (body) => this.#arrived(arrival, { route, identity, place, grant }, body));
  }

  #arrived(
    arrival: Arrival,
    {
      route,
      identity,
      place,
      grant,
    }: { route: Route; identity: Identity; place: Place; grant: Grant | null },
    body: BodyResult,
  ): void {
    const { shared, upstreams, network } = this.#options;
    const { request, response, requestId, startedMs } = arrival;
    const target = typeof body === "string" ? null : upstreams.find(route, body);
    if (typeof body === "string" || target === null) {
      if (body === "gone") shared.metrics.leftEarly += 1;
      else this.#refuse(arrival, codeOf(body), identity, route.family);
      place.release();
      return;
    }
    shared.metrics.requestBytes += body.length;
    const asked = grant?.reduces === true ? reducedBody(body, request) : body;
    if (asked === null) {
      const notice = { headers: grant?.headers ?? [], text: "" };
      this.#refuse(arrival, "gateway.not-reducible", identity, route.family, notice);
      place.release();
      return;
    }
    const release = (): void => {
      this.active.remove(forwarding);
      place.release();
    };
    const forwarding: Forwarding = new Forwarding(shared, {
      request,
      response,
      route,
      identity,
      requestId,
      startedMs,
      grant,
      release,
    });
    this.active.add(forwarding);
    const headers = upstreamHeaders(request.rawHeaders, {
      credential: shared.keepsClientKeys ? null : target.credential,
      keepClients: shared.keepsClientKeys,
      host: target.host,
      // What is charged by its tokens has to be read, so it may not come compressed.
      dropped: grant?.caller == null ? network.headersOfProxies : network.headersOfProxiesAndCoding,
      connection: request.headers.connection,
    });
    forwarding.start({ asked: body, sent: asked }, target, headers, loggedPairs(request.rawHeaders));
  }

  #refuse(
    arrival: Arrival,
    code: GatewayErrorCode,
    identity: Identity | null,
    family: Family,
    notice: Notice | null = null,
  ): void {
    const { shared } = this.#options;
    const { request, response, requestId, startedMs } = arrival;
    shared.metrics.countRefusal(code);
    shared.metrics.refused += 1;
    this.#owe(response);
    const refusal = refusalOf(code, family, requestId, notice);
    if (identity === null) sendRefusal(request, response, refusal);
    else recordRefusal(request, response, { refusal, identity, shared, startedMs, family, requestId });
  }

  /** Until the answer has gone, or the client has. */
  #owe(response: ServerResponse): void {
    if (response.destroyed) return;
    this.#owed += 1;
    response.once("close", () => this.#paid());
  }

  #paid(): void {
    this.#owed -= 1;
    if (this.isIdle) this.onIdle?.();
  }

  #identityOf({ request, exchange }: Arrival, principal: Principal): Identity {
    return {
      exchange,
      principal,
      network: this.#options.network.read(request.socket.remoteAddress, request.headers),
      method: request.method ?? "",
      target: request.url ?? "",
    };
  }

  #enter(principal: Principal): Place {
    const { admission, shared } = this.#options;
    const { metrics, limits } = shared;
    let reservedBytes = 0;
    admission.enter(principal);
    metrics.inFlight += 1;
    return {
      reserve: (bytes) => {
        if (metrics.bufferedBytes + bytes > limits.maxBufferedBytes) return false;
        metrics.bufferedBytes += bytes;
        reservedBytes += bytes;
        return true;
      },
      release: () => {
        admission.leave(principal);
        metrics.bufferedBytes -= reservedBytes;
        metrics.inFlight -= 1;
        if (this.isIdle) this.onIdle?.();
      },
    };
  }
}

/** The body without what `reduce` takes away; null: it can't be read surely enough. */
function reducedBody(body: Buffer, { headers }: IncomingMessage): Buffer | null {
  if (body.length === 0) return body;
  const coding = headers["content-encoding"];
  if (coding !== undefined && coding !== "identity") return null;
  const reduced = reduceRequest(body);
  return reduced.isObject ? Buffer.from(reduced.body) : null;
}

function codeOf(body: BodyResult): GatewayErrorCode {
  if (body === "too-large") return "gateway.body-too-large";
  if (body === "no-room") return "gateway.too-many-streams";
  return "gateway.upstream-not-configured";
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "").split("?")[0] ?? "";
}
