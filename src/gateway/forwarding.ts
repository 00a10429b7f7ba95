// One exchange on its way: the request to the upstream, the answer back, and the two records that the answer waits for.
//
// The guarantee: no byte of the answer leaves before the open record is durable, and the last byte does not leave
// before the close record is. The upstream is called without waiting for the disk.
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Dispatcher, errors } from "undici";
import { tokensUsed } from "../core/answer-usage.ts";
import type { CloseFigures, HeaderPairs } from "../core/record.ts";
import type { GatewayErrorCode } from "./errors.ts";
import { ExchangeRecord } from "./exchange-record.ts";
import { readUpstreamHead, type UpstreamHead } from "./headers.ts";
import type { Placed } from "./in-flight.ts";
import type { Grant } from "./measures.ts";
import type { Identity, Recorded } from "./recorder.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
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
  /** What was decided about the account; null: nothing applies. */
  readonly grant: Grant | null;
  /** Gives back what admission took. Called once. */
  release(): void;
}

/** What the client asked, which is recorded, and what goes to the upstream: the same unless a measure reduces it. */
interface RequestBody {
  readonly asked: Buffer;
  readonly sent: Buffer;
}

type Outcome = CloseFigures["outcome"];
const NO_BYTES = Buffer.alloc(0);

export class Forwarding implements Dispatcher.DispatchHandler, Placed {
  slot = -1;
  readonly #shared: Shared;
  readonly #admitted: Admitted;
  readonly #record: ExchangeRecord;
  readonly #marks: readonly Buffer[];
  /** HTTP/1.0 has no end but the connection's: there, the last bytes are always held. */
  readonly #holdsAlways: boolean;

  /** What the upstream was asked: for token budgets. */
  #sentBody: Buffer = NO_BYTES;
  #controller: Dispatcher.DispatchController | null = null;
  #abortReason: Error | null = null;
  /** The upstream is done with it, one way or the other. */
  #upstreamDone = false;
  #head: UpstreamHead | null = null;
  #headSent = false;
  /** Received and not yet written, oldest first. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Since when the newest waiting chunk has been held back as the answer's end; null: it may go. */
  #heldSinceMs: number | null = null;
  /** The close record has been handed over. */
  #closing = false;
  /** The close record is safe: the end of the answer may go. */
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
    this.#record = new ExchangeRecord(shared, admitted.identity, admitted.startedMs);
    this.#marks = terminalMarks(admitted.route);
    this.#holdsAlways = admitted.request.httpVersionMinor === 0;
  }

  /** Appends the open record and calls the upstream, in this order and without waiting in between. */
  start({ asked, sent }: RequestBody, target: Target, headers: string[], loggedHeaders: HeaderPairs): void {
    const { response, identity } = this.#admitted;
    response.on("close", () => this.#clientClosed());
    response.on("drain", () => this.#drained());
    this.#sentBody = sent;
    this.#record.open(asked, loggedHeaders, (recorded) => this.#opened(recorded));
    target.pool.dispatch(
      {
        path: target.basePath + identity.target,
        method: identity.method,
        headers,
        body: sent.length === 0 ? null : sent,
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
      this.abort();
    } else if (this.#heldSinceMs !== null && nowMs - this.#heldSinceMs > TERMINAL_HOLD_MS) {
      this.#heldSinceMs = null;
      this.#flush();
    }
  }

  /** Ends the exchange from this side: cuts both connections and records that the client did not get all of it. */
  abort(): void {
    if (!this.#closing) this.#close("aborted", null, () => {});
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
    const { grant } = this.#admitted;
    if (grant !== null) announce(this.#head, grant.headers);
    this.#scheduleFlush();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    this.#record.kept.add(chunk);
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    this.#heldSinceMs = this.#isLast(chunk) ? performance.now() : null;
    if (this.#waitingBytes > MAX_WAITING_BYTES || this.#needsDrain) controller.pause();
    this.#scheduleFlush();
  }

  onResponseEnd(): void {
    this.#upstreamDone = true;
    if (this.#settled || this.#closing) return;
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
    if (this.#settled || this.#closing) return;
    this.#shared.log.warn({ err: error, exchange: this.#admitted.identity.exchange }, "the upstream failed");
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
    if (recorded === "failed") this.#logFailed();
    else this.#flush();
  }

  /** The operator chose that nothing leaves without its record: a refusal while possible, else a cut. */
  #logFailed(): void {
    if (this.#settled) return;
    if (this.#headSent) {
      this.#shared.metrics.cutForLog += 1;
      this.#cut();
      return;
    }
    this.#refuse("gateway.log-unavailable");
  }

  #close(outcome: Outcome, code: GatewayErrorCode | null, then: (recorded: Recorded) => void): void {
    this.#closing = true;
    this.#charge();
    const ofUpstream = outcome === "complete" || this.#headSent ? (this.#head?.status ?? 0) : 0;
    const status = code === null || this.#headSent ? ofUpstream : this.#refusal(code).status;
    this.#record.close({ outcome, code, status, head: this.#head }, then);
  }

  /** What was drawn is charged however the exchange ended: leaving early spares nothing. */
  #charge(): void {
    const { measures, log } = this.#shared;
    const caller = this.#admitted.grant?.caller ?? null;
    const head = this.#head;
    if (measures === null || caller === null || head === null) return;
    const answer = this.#record.kept.bytes();
    measures
      .charge(caller, tokensUsed({ request: this.#sentBody, answer, isStream: head.isStream }))
      .catch((error: unknown) => log.error({ err: error }, "an exchange could not be charged"));
  }

  // The client's side.

  #isLast(chunk: Buffer): boolean {
    const head = this.#head;
    if (head === null || this.#holdsAlways) return true;
    if (head.contentLength >= 0) return this.#record.kept.receivedBytes >= head.contentLength;
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
    const head = this.#head;
    if (this.#settled || head === null || this.#record.opened === null) return;
    if (this.#closing) {
      if (this.#mayEnd) this.#finish(head);
      return;
    }
    if (this.#needsDrain) return;
    // A head whose body is complete but for its held end goes with that end: one write instead of two.
    const isWhole = this.#heldSinceMs !== null && this.#waiting.length === 1;
    if (!this.#headSent && (isWhole || !this.#sendHead(head))) return;
    const held = this.#heldSinceMs === null ? undefined : this.#waiting.pop();
    if (this.#waiting.length > 0) this.#write(joined(this.#waiting));
    this.#waiting = held === undefined ? [] : [held];
    this.#waitingBytes = held?.length ?? 0;
    if (!this.#needsDrain) this.#controller?.resume();
  }

  /** False when the head can't be passed on; the exchange has failed then. */
  #sendHead(head: UpstreamHead): boolean {
    const { response, identity } = this.#admitted;
    if (this.#shared.isStopping) response.shouldKeepAlive = false;
    try {
      response.writeHead(head.status, head.message, head.forClient);
    } catch (error) {
      // Node refuses a head that it could not write unchanged; the upstream is at fault.
      this.#shared.log.warn(
        { err: error, exchange: identity.exchange },
        "the upstream's head can't be passed on",
      );
      if (this.#closing) this.#refuse("gateway.upstream-unreachable");
      else this.#fail("gateway.upstream-unreachable", "upstream-failed");
      return false;
    }
    this.#headSent = true;
    this.#record.firstByteSent();
    if (this.#waiting.length === 0 && !this.#closing) response.flushHeaders();
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
    const { response } = this.#admitted;
    if (this.#waiting.length > 0) response.end(joined(this.#waiting));
    else response.end();
    this.#settle();
  }

  /** Adyton's own answer where there is still time for one, else the connection is cut: never a false ending. */
  #fail(code: GatewayErrorCode, outcome: Outcome): void {
    if (this.#settled || this.#closing) return;
    if (this.#headSent) {
      this.#flushBeforeCut();
      this.#close(outcome, code, () => {});
      this.#cut();
      return;
    }
    this.#close(outcome, code, (recorded) => {
      if (recorded === "failed") this.#logFailed();
      else this.#refuse(code);
    });
    this.#head = null;
    this.#abortUpstream();
  }

  /** What the upstream said before it failed is the client's, but for a held end. */
  #flushBeforeCut(): void {
    if (this.#heldSinceMs !== null) this.#waiting.pop();
    if (this.#waiting.length > 0) this.#admitted.response.write(joined(this.#waiting));
  }

  #refuse(code: GatewayErrorCode): void {
    if (this.#settled) return;
    this.#settle();
    this.#abortUpstream();
    const { response } = this.#admitted;
    this.#shared.metrics.countRefusal(code);
    if (response.destroyed) return;
    const refusal = this.#refusal(code);
    response.writeHead(refusal.status, [...refusal.headers]);
    response.end(refusal.body);
  }

  #refusal(code: GatewayErrorCode): Refusal {
    return refusalOf(code, this.#admitted.route.family, this.#admitted.requestId);
  }

  #clientClosed(): void {
    if (!this.#admitted.response.writableFinished) {
      if (this.#closing || this.#settled) this.#shared.metrics.leftLate += 1;
      else this.#close("aborted", null, () => {});
    }
    this.#settle();
    this.#abortUpstream();
    if (this.#released) return;
    this.#released = true;
    this.#record.kept.release();
    this.#admitted.release();
  }

  #settle(): void {
    this.#settled = true;
    this.#waiting = [];
  }

  /** What was written goes out; HTTP's own end does not, so that the client knows the answer is incomplete. */
  #cut(): void {
    this.#settle();
    this.#abortUpstream();
    this.#admitted.response.socket?.destroySoon();
  }

  #abortUpstream(): void {
    if (this.#upstreamDone || this.#abortReason !== null) return;
    this.#abortReason = new errors.RequestAbortedError("the exchange is over on the client's side");
    this.#controller?.abort(this.#abortReason);
  }
}

/** Tells the client of a measure, and the record too: its headers are those that the client got. */
function announce(head: UpstreamHead, headers: readonly string[]): void {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const [name = "", value = ""] = headers.slice(index, index + 2);
    head.forClient.push(name, value);
    head.pairs.push([name, value]);
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
