// One exchange on its way: the request to the upstream, the answer back, and the two records that the answer waits for.
//
// The guarantee: no byte of the answer leaves before the open record is durable, and the last byte does not leave
// before the close record is. The upstream is called without waiting for the disk.
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Dispatcher, errors } from "undici";
import { tokensUsed } from "../core/answer-usage.ts";
import type { CloseFigures, HeaderPairs } from "../core/record.ts";
import { Answer, type AnswerOwner } from "./answer.ts";
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

/**
 * Takes the upstream's answer by undici's older handler methods (`onHeaders` and so on), which it still calls directly:
 * for the newer ones it makes two objects a request and reads every head into an object that nobody here looks at.
 */
export class Forwarding implements Dispatcher.DispatchHandler, Placed, AnswerOwner {
  slot = -1;
  readonly #shared: Shared;
  readonly #admitted: Admitted;
  readonly #record: ExchangeRecord;
  readonly #answer: Answer;
  readonly #marks: readonly Buffer[];
  /** HTTP/1.0 has no end but the connection's: there, the last bytes are always held. */
  readonly #holdsAlways: boolean;

  /** What the upstream was asked: for token budgets. */
  #sentBody: Buffer = NO_BYTES;
  #abort: ((reason: Error) => void) | null = null;
  /** Lets the upstream go on after `onHeaders` or `onData` has answered false; null: it was not asked to pause. */
  #resume: (() => void) | null = null;
  #isPaused = false;
  #abortReason: Error | null = null;
  /** The upstream is done with it, one way or the other. */
  #upstreamDone = false;
  #head: UpstreamHead | null = null;
  /** The close record has been handed over. */
  #closing = false;
  /** The close record is safe: the end of the answer may go. */
  #mayEnd = false;
  #flushScheduled = false;
  /** Nothing more is decided here: the answer was finished, cut or refused. */
  #settled = false;
  #released = false;

  constructor(shared: Shared, admitted: Admitted) {
    this.#shared = shared;
    this.#admitted = admitted;
    this.#record = new ExchangeRecord(shared, admitted.identity, admitted.startedMs);
    this.#answer = new Answer(admitted.response, this);
    this.#marks = terminalMarks(admitted.route);
    this.#holdsAlways = admitted.request.httpVersionMinor === 0;
  }

  /** Appends the open record and calls the upstream, in this order and without waiting in between. */
  start({ asked, sent }: RequestBody, target: Target, headers: string[], loggedHeaders: HeaderPairs): void {
    const { response, identity } = this.#admitted;
    response.on("close", () => this.#clientClosed());
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
    } else if (this.#answer.isStuck(nowMs, limits.idleTimeoutMs)) {
      this.abort();
    } else if (this.#answer.letsGo(nowMs)) {
      this.#flush();
    }
  }

  /** Ends the exchange from this side: cuts both connections and records that the client did not get all of it. */
  abort(): void {
    if (!this.#closing) this.#close("aborted", null, () => {});
    this.#cut();
  }

  // The upstream's side (called by undici).

  onConnect(abort: (reason?: Error) => void): void {
    this.#abort = abort;
    if (this.#abortReason !== null) abort(this.#abortReason);
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void, message: string): boolean {
    this.#resume = resume;
    // Interim answers (100, 103) concern one hop; the final one is what counts.
    if (status < 200 || this.#settled) return true;
    this.#head = readUpstreamHead(status, message, raw, {
      requestId: this.#admitted.requestId,
      keepCookies: this.#shared.keepsClientKeys,
    });
    const { grant } = this.#admitted;
    if (grant !== null) announce(this.#head, grant.headers);
    this.#scheduleFlush();
    return true;
  }

  /** False tells the upstream to pause until `#resume`. */
  onData(chunk: Buffer): boolean {
    if (this.#settled) return true;
    this.#record.kept.add(chunk);
    this.#answer.take(chunk, this.#isLast(chunk));
    this.#scheduleFlush();
    this.#isPaused = this.#answer.isFull;
    return !this.#isPaused;
  }

  onComplete(): void {
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

  onError(error: Error): void {
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
    if (this.#answer.headSent) {
      this.#shared.metrics.cutForLog += 1;
      this.#cut();
      return;
    }
    this.#refuse("gateway.log-unavailable");
  }

  #close(outcome: Outcome, code: GatewayErrorCode | null, then: (recorded: Recorded) => void): void {
    this.#closing = true;
    this.#charge();
    const { headSent } = this.#answer;
    const ofUpstream = outcome === "complete" || headSent ? (this.#head?.status ?? 0) : 0;
    const status = code === null || headSent ? ofUpstream : this.#refusal(code).status;
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
    // While nothing may leave there is nothing to schedule: the open record's own callback flushes.
    if (this.#flushScheduled || this.#record.opened === null) return;
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
    if (this.#answer.isBlocked || this.#answer.isWhole) return;
    if (!this.#answer.headSent && !this.#sendHead(head)) return;
    this.#answer.pass();
    this.#goOn();
  }

  #goOn(): void {
    if (!this.#isPaused || this.#answer.isBlocked) return;
    this.#isPaused = false;
    this.#resume?.();
  }

  /** False when the head can't be passed on; the exchange has failed then. */
  #sendHead(head: UpstreamHead): boolean {
    const { response, identity } = this.#admitted;
    if (this.#shared.isStopping) response.shouldKeepAlive = false;
    try {
      this.#answer.sendHead(head);
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
    this.#record.firstByteSent();
    return true;
  }

  drained(): void {
    this.#flush();
    this.#goOn();
  }

  #finish(head: UpstreamHead): void {
    if (!this.#answer.headSent && !this.#sendHead(head)) return;
    this.#answer.end(head.contentLength >= 0);
    this.#settle();
  }

  /** Adyton's own answer where there is still time for one, else the connection is cut: never a false ending. */
  #fail(code: GatewayErrorCode, outcome: Outcome): void {
    if (this.#settled || this.#closing) return;
    if (this.#answer.headSent) {
      this.#answer.passBeforeCut();
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
    this.#answer.drop();
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
    this.#abort?.(this.#abortReason);
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
