// Serves `/adyton/appeals/<reference>`: whoever holds the reference reads what happened, and may object. No key is needed.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RespondConfig } from "../config/respond-section.ts";
import type { ActRecorder } from "../core/acts.ts";
import { AdytonError } from "../core/errors.ts";
import { isLive } from "../core/measure.ts";
import { MAX_STATEMENT, MAX_STATEMENTS } from "../state/appeals.ts";
import type { State } from "../state/state.ts";
import { holdsOf, isReference } from "../state/verdict-rows.ts";
import {
  type AppealView,
  appealJson,
  appealPage,
  messagePage,
  PAGE_HEADERS,
  type PageOptions,
} from "./appeal-page.ts";
import { readBody } from "./body.ts";
import { isProof } from "./proof-of-work.ts";

export const APPEALS_PATH = "/adyton/appeals/";

export interface AppealDeskOptions {
  /** Throws while the state can't be reached: the customer is asked to come back then. */
  readonly shared: () => Pick<State, "verdicts" | "appeals">;
  readonly record: ActRecorder;
  readonly contact: string | null;
  readonly verify: RespondConfig["verify"];
  /** Called when a customer's own step freed an account. */
  readonly onReleased: () => Promise<void>;
  readonly now: () => number;
  /** Told of what failed inside; the customer gets a plain sentence. */
  readonly onFailure: (error: unknown) => void;
}

/** A statement of the longest length, written in the widest form a browser sends. */
const MAX_BODY_BYTES = 64 * 1024;
/** Looks and statements that one worker takes in a second, from everybody together: each is a look into the database. */
const MAX_PER_SECOND = 20;

export class AppealDesk {
  readonly #options: AppealDeskOptions;
  readonly #page: PageOptions;
  #second = 0;
  #inSecond = 0;

  constructor(options: AppealDeskOptions) {
    this.#options = options;
    const { contact, verify } = options;
    this.#page = { contact, verify, maxStatement: MAX_STATEMENT };
  }

  /** Answers a request below `APPEALS_PATH`. Never throws. Everything in it is attacker-controlled. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const reference = (request.url ?? "").slice(APPEALS_PATH.length).split(/[?/]/)[0] ?? "";
    const reply = new Reply(request, response);
    if (!this.#hasRoom()) reply.message(429, "Too many requests", "Please try again in a moment.");
    else if (request.method === "GET" || request.method === "HEAD")
      this.#answer(reply, this.#look(reference, reply));
    else if (request.method === "POST") this.#take(request, reference, reply);
    else reply.message(405, "Not possible", "This address is read with GET and answered with POST.");
  }

  #take(request: IncomingMessage, reference: string, reply: Reply): void {
    const limits = { maxBytes: MAX_BODY_BYTES, reserve: () => true };
    readBody(request, limits, (body) => {
      if (body === "gone") return;
      if (typeof body === "string") {
        reply.message(413, "Too long", `A statement has at most ${MAX_STATEMENT} characters.`);
        return;
      }
      const type = request.headers["content-type"];
      const proof = memberIn(body, type, "proof");
      const statement = memberIn(body, type, "statement");
      const work =
        proof === null ? this.#file(reference, statement, reply) : this.#prove(reference, proof, reply);
      this.#answer(reply, work);
    });
  }

  #answer(reply: Reply, work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#options.onFailure(error);
      reply.message(503, "Not available", "This page can't be shown at the moment. Please try again later.");
    });
  }

  async #look(reference: string, reply: Reply): Promise<void> {
    const view = await this.#viewOf(reference);
    if (view === null) reply.unknown();
    else if (reply.wantsPage) reply.send(200, "text/html; charset=utf-8", appealPage(view, this.#page));
    else reply.json(200, appealJson(view, this.#page));
  }

  /** Frees an account under `verify` whose holder did the work that the operator asks for. */
  async #prove(reference: string, proof: string, reply: Reply): Promise<void> {
    const view = await this.#viewOf(reference);
    const { shared, record, verify, onReleased } = this.#options;
    if (view === null) {
      reply.unknown();
      return;
    }
    const isAsked = verify.step === "proofOfWork" && view.measure === "verify" && view.holds;
    if (!isAsked || !isProof(reference, proof, verify.proofBits)) {
      reply.message(400, "Not a proof", "The proof is not one for this reference, or none is asked for.");
      return;
    }
    const found = await shared().verdicts.byReference(reference);
    if (found === null) {
      reply.unknown();
      return;
    }
    const step = { by: "customer", note: "proof of work" };
    await shared().verdicts.release(found.verdict.id, found.member.account, step, { record });
    await onReleased();
    if (reply.wantsPage) reply.seeOther(`${APPEALS_PATH}${reference}`);
    else await this.#look(reference, reply);
  }

  async #file(reference: string, statement: string | null, reply: Reply): Promise<void> {
    if ((await this.#viewOf(reference)) === null) {
      reply.unknown();
      return;
    }
    try {
      const { record } = this.#options;
      await this.#options.shared().appeals.file(reference, statement ?? "", { record });
    } catch (error) {
      const code = error instanceof AdytonError ? error.code : "";
      if (code === "invalid-fact") {
        reply.message(
          400,
          "Nothing to send",
          `Please write a statement of at most ${MAX_STATEMENT} characters.`,
        );
        return;
      }
      if (code !== "appeal-step") throw error;
      reply.message(409, "Not possible now", "A statement waits to be read already, or all were answered.");
      return;
    }
    if (reply.wantsPage) reply.seeOther(`${APPEALS_PATH}${reference}`);
    else await this.#look(reference, reply);
  }

  /** Null for what never was, and for what no customer has been told of: a proposal, a trial in shadow mode. */
  async #viewOf(reference: string): Promise<AppealView | null> {
    if (!isReference(reference)) return null;
    const { shared, now } = this.#options;
    const state = shared();
    const found = await state.verdicts.byReference(reference);
    if (found === null) return null;
    const { verdict, member } = found;
    const { status, shadow, reason, endedMs, interim } = verdict;
    const { joinedMs, releasedMs } = member;
    const nowMs = now();
    const begun = Math.min(nowMs, endedMs ?? nowMs);
    const last = holdsOf(verdict).findLast(({ fromMs }) => fromMs <= begun);
    if (shadow || last === undefined || last.measure === "observe") return null;
    const { measure, fromMs } = last;
    const isInterim = measure === interim?.measure;
    // When a decision takes effect is told to nobody beforehand.
    const untilMs = Math.min(
      isInterim ? Math.max(interim.untilMs, last.untilMs) : last.untilMs,
      endedMs ?? Number.POSITIVE_INFINITY,
      releasedMs ?? Number.POSITIVE_INFINITY,
    );
    const holds = isLive(status) && releasedMs === null && nowMs < untilMs;
    const statements = await state.appeals.ofReference(reference);
    return {
      ...{ reference, measure, reason, holds },
      sinceMs: Math.max(fromMs, joinedMs),
      untilMs,
      isInterim,
      statements: statements.map(({ filedMs, status: stage, reason: answer }) => ({
        filedMs,
        status: stage,
        answer,
      })),
      mayObject:
        holds && statements.length < MAX_STATEMENTS && statements.every((one) => one.status !== "open"),
    };
  }

  #hasRoom(): boolean {
    const second = Math.floor(this.#options.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#inSecond = 0;
    }
    this.#inSecond += 1;
    return this.#inSecond <= MAX_PER_SECOND;
  }
}

/** A member of the form or of the JSON; null: there is none in a form that is understood. */
function memberIn(body: Buffer, type: string | undefined, name: "statement" | "proof"): string | null {
  const text = body.toString("utf8");
  if (type?.startsWith("application/json") === true) {
    try {
      const parsed: unknown = JSON.parse(text);
      if (typeof parsed !== "object" || parsed === null) return null;
      const value: unknown = new Map(Object.entries(parsed)).get(name);
      return typeof value === "string" ? value : null;
    } catch {
      return null;
    }
  }
  return new URLSearchParams(text).get(name);
}

/** One answer, as a page for browsers and as JSON for everything else. */
class Reply {
  readonly wantsPage: boolean;
  readonly #response: ServerResponse;
  readonly #isHead: boolean;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.wantsPage = (request.headers.accept ?? "").includes("text/html");
    this.#response = response;
    this.#isHead = request.method === "HEAD";
    // What is not read of a refused body costs its connection.
    if (!request.complete && request.method !== "GET") response.shouldKeepAlive = false;
  }

  send(status: number, type: string, text: string): void {
    const response = this.#response;
    if (response.headersSent || response.destroyed) return;
    response.writeHead(status, {
      ...PAGE_HEADERS,
      "content-type": type,
      "content-length": Buffer.byteLength(text),
    });
    response.end(this.#isHead ? undefined : text);
  }

  json(status: number, value: unknown): void {
    this.send(status, "application/json", `${JSON.stringify(value)}\n`);
  }

  message(status: number, title: string, text: string): void {
    if (this.wantsPage) this.send(status, "text/html; charset=utf-8", messagePage(title, text));
    else this.json(status, { error: text });
  }

  unknown(): void {
    this.message(
      404,
      "Nothing here",
      "There is no measure with this reference. Check that the address is complete.",
    );
  }

  seeOther(location: string): void {
    if (this.#response.headersSent || this.#response.destroyed) return;
    this.#response.writeHead(303, { ...PAGE_HEADERS, location, "content-length": 0 });
    this.#response.end();
  }
}
