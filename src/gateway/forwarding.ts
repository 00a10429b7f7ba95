// One exchange on its way: the request to the upstream, the answer back, and the two records that the answer waits for.
//
// The guarantee: no byte of the answer leaves before the open record is durable, and the last byte does not leave
// before the close record is. The upstream is called without waiting for the disk.
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Dispatcher, errors } from "undici";
import type { CloseFigures, HeaderPairs } from "../core/record.ts";
import type { GatewayErrorCode } from "./errors.ts";
import { readUpstreamHead, type UpstreamHead } from "./headers.ts";
import { KeptAnswer } from "./kept-answer.ts";
import { closeDraft, type Identity, openDraft, type Recorded } from "./recorder.ts";
import { refusalOf } from "./refusal.ts";
import type { Route } from "./routes.ts";
import type { Shared } from "./shared.ts";
import { isTerminal, terminalMarks } from "./terminal.ts";
import type { Target } from "./upstreams.ts";

/** Bytes that may wait for the disk or for a slow client before the upstream is told to pause. */
const MAX_WAITING_BYTES = 256 * 1024;
/** How long a stream's final event may wait for the upstream to end; then it goes, and only HTTP's own end waits. */
const TERMINAL_HOLD_MS = 1_000;

/** A request that was let in. */
export interface Admitted {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route;
  readonly identity: Identity;
  readonly requestId: string;
  /** `performance.now()` when the request's head had arrived. */
  readonly startedMs: number;
  /** Gives back what admission took. Called once. */
  release(): void;
}

type Outcome = CloseFigures["outcome"];

const NO_HEADERS: HeaderPairs = [];

export class Forwarding implements Dispatcher.DispatchHandler {
  readonly #shared: Shared;
  readonly #admitted: Admitted;
  readonly #marks: readonly Buffer[];
  /** HTTP/1.0 has no end but the connection's: there, the last bytes are always held. */
  readonly #holdsAlways: boolean;

  #controller: Dispatcher.DispatchController | null = null;
  #abortReason: Error | null = null;
  #head: UpstreamHead | null = null;
  #headSent = false;
  #firstByteMs: number | null = null;
  /** Received and not yet written, oldest first. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #heldSinceMs: number | null = null;
  readonly #kept: KeptAnswer;
  #openRecorded: Recorded | null = null;
  /** The upstream is done with it, one way or the other. */
  #upstreamDone = false;
  /** No more is to come, and the close record has been handed over. */
  #ended = false;
  #mayEnd = false;
  #needsDrain = false;
  #drainSinceMs = 0;
  #flushScheduled = false;
  /** Nothing more is decided here: the answer was finished, cut or refused. */
  #settled = false;
  #released = false;

  constructor(shared: Shared, admitted: Admitted) {
    this.#shared = shared;
    this.#admitted = admitted;
    this.#kept = new KeptAnswer(shared.limits.maxStoredResponseBytes, shared.metrics);
    this.#marks = terminalMarks(admitted.route);
    this.#holdsAlways = admitted.request.httpVersionMinor === 0;
  }

  /** Appends the open record and calls the upstream, in this order and without waiting in between. */
  start(body: Buffer, target: Target, headers: string[], loggedHeaders: HeaderPairs): void {
    const { response, identity } = this.#admitted;
    response.on("close", () => this.#clientClosed());
    response.on("drain", () => this.#drained());
    this.#shared.recorder.append(openDraft(identity, body, loggedHeaders), (recorded) =>
      this.#opened(recorded),
    );
    target.pool.dispatch(
      {
        path: target.basePath + identity.target,
        method: identity.method,
        headers,
        body: body.length === 0 ? null : body,
      },
      this,
    );
  }

  /** Called about once a second: the deadlines that need no timer of their own. */
  sweep(nowMs: number): void {
    const { limits } = this.#shared;
    if (nowMs - this.#admitted.startedMs > limits.totalTimeoutMs) {
      this.#fail("gateway.upstream-timeout", "upstream-failed");
    } else if (this.#needsDrain && nowMs - this.#drainSinceMs > limits.idleTimeoutMs) {
      this.abort("aborted");
    } else if (this.#heldSinceMs !== null && nowMs - this.#heldSinceMs > TERMINAL_HOLD_MS) {
      this.#heldSinceMs = null;
      this.#flush();
    }
  }

  /** Ends the exchange from this side: cuts both connections and records why. */
  abort(outcome: Outcome): void {
    if (this.#settled) return;
    if (!this.#ended) this.#close(outcome, null, () => {});
    this.#cut();
  }

  // The upstream's side (called by undici).

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abortReason !== null) controller.abort(this.#abortReason);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _: unknown,
    message?: string,
  ): void {
    // Interim answers (100, 103) concern one hop; the final one is what counts.
    if (status < 200 || this.#settled) return;
    const raw = controller.rawHeaders;
    this.#head = readUpstreamHead(status, message ?? "", Array.isArray(raw) ? raw : [], {
      requestId: this.#admitted.requestId,
      keepCookies: this.#shared.keepsClientKeys,
    });
    this.#scheduleFlush();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    this.#kept.add(chunk);
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    this.#heldSinceMs = this.#isLast(chunk) ? performance.now() : null;
    if (this.#waitingBytes > MAX_WAITING_BYTES || this.#needsDrain) controller.pause();
    this.#scheduleFlush();
  }

  onResponseEnd(): void {
    this.#upstreamDone = true;
    if (this.#settled) return;
    this.#ended = true;
    const endedMs = performance.now();
    this.#close("complete", null, (recorded) => {
      this.#shared.metrics.closeWait.observe(performance.now() - endedMs);
      if (recorded === "failed") this.#logFailed();
      else {
        this.#mayEnd = true;
        this.#flush();
      }
    });
  }

  onResponseError(_: unknown, error: Error): void {
    this.#upstreamDone = true;
    if (this.#settled) return;
    const { identity } = this.#admitted;
    this.#shared.log.warn({ err: error, exchange: identity.exchange }, "the upstream failed");
    // undici refuses a path or a header value that it could not put on the wire unchanged.
    if (error instanceof errors.InvalidArgumentError) this.#fail("gateway.bad-request", "refused");
    else
      this.#fail(
        isTimeout(error) ? "gateway.upstream-timeout" : "gateway.upstream-unreachable",
        "upstream-failed",
      );
  }

  // The log's side.

  #opened(recorded: Recorded): void {
    this.#openRecorded = recorded;
    if (recorded === "unrecorded") this.#shared.metrics.unrecorded += 1;
    if (recorded === "failed") this.#logFailed();
    else this.#flush();
  }

  /** The operator chose that nothing leaves without its record: a refusal while possible, else a cut. */
  #logFailed(): void {
    const { metrics } = this.#shared;
    if (this.#headSent || this.#admitted.response.headersSent) {
      metrics.cutForLog += 1;
      this.#settle();
      this.#cut();
      return;
    }
    this.#settle();
    this.#abortUpstream();
    this.#answer("gateway.log-unavailable");
  }

  /** Hands the close record over, once. `then` is not called when there is nothing to wait for. */
  #close(outcome: Outcome, code: GatewayErrorCode | null, then: (recorded: Recorded) => void): void {
    const { startedMs, identity, requestId, route } = this.#admitted;
    const nowMs = performance.now();
    const status = code === null ? this.#statusFor(outcome) : refusalOf(code, route.family, requestId).status;
    const figures: CloseFigures = {
      status,
      outcome,
      code,
      latencyMs: rounded(nowMs - startedMs),
      firstByteMs: this.#firstByteMs ?? (this.#head === null ? null : rounded(nowMs - startedMs)),
      responseBytes: this.#kept.receivedBytes,
      truncated: this.#kept.truncated,
      format: "wire",
    };
    this.#count(outcome, nowMs - startedMs);
    // An open that never reached the log has no close: the log holds nothing half-true.
    if (this.#openRecorded === "unrecorded" || this.#openRecorded === "failed") {
      queueMicrotask(() => then(this.#openRecorded ?? "failed"));
      return;
    }
    const draft = closeDraft(identity, this.#kept.bytes(), this.#head?.pairs ?? NO_HEADERS, figures);
    this.#shared.recorder.append(draft, (recorded) => {
      // Counted once an exchange: an open that was not recorded has counted already.
      if (recorded === "unrecorded" && this.#openRecorded === "durable") this.#shared.metrics.unrecorded += 1;
      then(recorded);
    });
  }

  #statusFor(outcome: Outcome): number {
    return outcome === "complete" || this.#headSent ? (this.#head?.status ?? 0) : 0;
  }

  #count(outcome: Outcome, latencyMs: number): void {
    const { metrics } = this.#shared;
    metrics.responseBytes += this.#kept.receivedBytes;
    metrics.latency.observe(latencyMs);
    if (outcome === "complete") metrics.complete += 1;
    else if (outcome === "aborted") metrics.aborted += 1;
    else if (outcome === "refused") metrics.refused += 1;
    else metrics.upstreamFailed += 1;
  }

  // The client's side.

  #isLast(chunk: Buffer): boolean {
    const head = this.#head;
    if (head === null || this.#holdsAlways) return true;
    if (head.contentLength >= 0) return this.#kept.receivedBytes >= head.contentLength;
    return head.isStream && isTerminal(chunk, this.#marks);
  }

  /** Everything that one read of the socket brought goes to the client in one write. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    process.nextTick(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#settled || this.#head === null || this.#openRecorded === null) return;
    if (this.#ended) {
      if (this.#mayEnd) this.#finish(this.#head);
      return;
    }
    if (this.#needsDrain) return;
    if (!this.#headSent) {
      // A head whose body is complete but for its held end goes with that end: one write instead of two.
      if (this.#heldSinceMs !== null && this.#waiting.length === 1) return;
      if (!this.#sendHead(this.#head)) return;
    }
    const held = this.#heldSinceMs === null ? undefined : this.#waiting.pop();
    if (this.#waiting.length > 0) this.#write(joined(this.#waiting));
    this.#waiting = held === undefined ? [] : [held];
    this.#waitingBytes = held?.length ?? 0;
    if (!this.#needsDrain) this.#controller?.resume();
  }

  #sendHead(head: UpstreamHead): boolean {
    const { response, startedMs, identity } = this.#admitted;
    if (this.#shared.isStopping) response.shouldKeepAlive = false;
    try {
      response.writeHead(head.status, head.message, head.forClient);
    } catch (error) {
      // Node refuses a head that it could not write unchanged; the upstream is at fault.
      this.#shared.log.warn(
        { err: error, exchange: identity.exchange },
        "the upstream's head can't be passed on",
      );
      this.#ended = false;
      this.#fail("gateway.upstream-unreachable", "upstream-failed");
      return false;
    }
    this.#headSent = true;
    this.#firstByteMs = rounded(performance.now() - startedMs);
    this.#shared.metrics.firstByte.observe(this.#firstByteMs);
    if (this.#waiting.length === 0 && !this.#ended) response.flushHeaders();
    return true;
  }

  #write(bytes: Buffer): void {
    if (this.#admitted.response.write(bytes)) return;
    this.#needsDrain = true;
    this.#drainSinceMs = performance.now();
    this.#controller?.pause();
  }

  #drained(): void {
    this.#needsDrain = false;
    this.#flush();
    if (!this.#needsDrain) this.#controller?.resume();
  }

  #finish(head: UpstreamHead): void {
    if (!this.#headSent && !this.#sendHead(head)) return;
    this.#settled = true;
    const { response } = this.#admitted;
    if (this.#waiting.length > 0) response.end(joined(this.#waiting));
    else response.end();
    this.#waiting = [];
  }

  /** Adyton's own answer where there is still time for one, else the connection is cut: never a false ending. */
  #fail(code: GatewayErrorCode, outcome: Outcome): void {
    if (this.#settled || this.#ended) return;
    if (this.#headSent) {
      this.#close(outcome, code, () => {});
      this.#settle();
      this.#cut();
      return;
    }
    this.#ended = true;
    this.#head = null;
    this.#close(outcome, code, (recorded) => {
      if (this.#settled) return;
      this.#settle();
      this.#answer(recorded === "failed" ? "gateway.log-unavailable" : code);
    });
    this.#abortUpstream();
  }

  #answer(code: GatewayErrorCode): void {
    const { response, route, requestId } = this.#admitted;
    this.#shared.metrics.countRefusal(code);
    if (response.destroyed) return;
    const refusal = refusalOf(code, route.family, requestId);
    response.writeHead(refusal.status, [...refusal.headers]);
    response.end(refusal.body);
  }

  #clientClosed(): void {
    const { response } = this.#admitted;
    if (!response.writableFinished) {
      if (this.#ended || this.#settled) this.#shared.metrics.leftLate += 1;
      else this.#close("aborted", null, () => {});
    }
    this.#settle();
    this.#abortUpstream();
    this.#release();
  }

  #settle(): void {
    this.#settled = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** What was written goes out; HTTP's own end does not, so that the client knows the answer is incomplete. */
  #cut(): void {
    this.#settle();
    this.#abortUpstream();
    this.#admitted.response.socket?.destroySoon();
  }

  #abortUpstream(): void {
    if (this.#upstreamDone) return;
    this.#abortReason = new errors.RequestAbortedError("the exchange is over on the client's side");
    this.#controller?.abort(this.#abortReason);
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#kept.release();
    this.#admitted.release();
  }
}

function isTimeout(error: Error): boolean {
  return (
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    error instanceof errors.ConnectTimeoutError
  );
}

function joined(chunks: Buffer[]): Buffer {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

/** Microsecond precision is more than the figures mean. */
function rounded(valueMs: number): number {
  return Math.round(valueMs * 1_000) / 1_000;
}
