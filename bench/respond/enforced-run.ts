// One labelled world with measures enforced in virtual time: what is refused is not served, and detection sees it refused.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openHunter } from "../../src/cli/hunter.ts";
import { readLines } from "../../src/cli/lines.ts";
import type { AccountFacts } from "../../src/core/account.ts";
import {
  type NeutralExchange,
  readNeutralAccount,
  readNeutralExchange,
} from "../../src/core/decode/neutral.ts";
import { reduceRequest } from "../../src/core/reduction.ts";
import { accountRows } from "../../src/detect/features/account-rows.ts";
import { rowsOf } from "../../src/detect/features/rows.ts";
import type { Policy } from "../../src/respond/policy.ts";
import { Responder } from "../../src/respond/responder.ts";
import { State } from "../../src/state/state.ts";
import { VerdictTable } from "../../src/state/verdict-table.ts";
import { JsonLinesBuilder } from "../../src/store/json-lines.ts";
import { Store } from "../../src/store/store.ts";
import { Labels, type Tally } from "./labels.ts";

/** Not a secret: worlds are made up. */
const KEYS = { secret: Buffer.from("for benchmarks on made-up worlds") };
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export interface Setting {
  readonly name: string;
  readonly policy: Policy;
  /** What an approver takes, who approves everything: the least favourable to honest accounts. */
  readonly approvalMinutes: number;
  readonly everyHours: number;
  readonly onProgress: (line: string) => void;
}

export interface EnforcedRun extends Tally {
  readonly world: string;
  readonly policy: string;
  readonly verdicts: number;
  /** From the finding to the effect, minutes of virtual time: approval, delay and jitter. */
  readonly minutesToEffect: readonly number[];
  readonly seconds: number;
  /** Where the time went, seconds. */
  readonly spent: Readonly<Record<Phase, number>>;
}

type Phase = "derive" | "store" | "hunt" | "respond";

/** @param world folder of the made world */
export async function enforce(world: string, name: string, setting: Setting): Promise<EnforcedRun> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-respond-"));
  const startedMs = performance.now();
  const store = await Store.openEmpty({ folder: join(folder, "store") });
  const clock = { nowMs: 0 };
  const state = await State.open({ folder, now: () => clock.nowMs });
  const table = await VerdictTable.open(state, { now: () => clock.nowMs, refreshMs: 2 ** 31 - 1 });
  try {
    const labels = await Labels.read(world);
    const replay = new Replay({ store, state, table, clock, labels, setting });
    await replay.run(world);
    const { items } = await state.verdicts.list({ limit: 1000 });
    const strong = items.filter(({ measure, effectiveMs }) => measure !== "observe" && effectiveMs !== null);
    return {
      ...labels.tally(),
      ...{ world: name, policy: setting.name, verdicts: strong.length },
      minutesToEffect: strong.map((one) => ((one.effectiveMs ?? 0) - one.proposedMs) / MINUTE_MS),
      seconds: (performance.now() - startedMs) / 1000,
      spent: replay.spent,
    };
  } finally {
    table.close();
    await state.close();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Parts {
  readonly store: Store;
  readonly state: State;
  readonly table: VerdictTable;
  readonly clock: { nowMs: number };
  readonly labels: Labels;
  readonly setting: Setting;
}

class Replay {
  readonly #parts: Parts;
  readonly #builder = new JsonLinesBuilder();
  readonly #responder: Responder;
  readonly #waiting: AccountFacts[] = [];
  readonly spent: Record<Phase, number> = { derive: 0, store: 0, hunt: 0, respond: 0 };
  #leaf = 0;
  #nextMs = 0;
  #toldMs = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { state, clock, setting } = parts;
    // A fixed generator: the same world gives the same figures.
    let seed = 20_261_122;
    this.#responder = new Responder({
      ...{ state, policy: setting.policy, mode: "enforce", takeOf: null, now: () => clock.nowMs },
      record: async () => {},
      random: () => {
        seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
        return seed / 2 ** 31;
      },
    });
  }

  async run(world: string): Promise<void> {
    const { store, clock, setting } = this.#parts;
    for await (const { lines } of readLines(join(world, "accounts.jsonl"))) {
      for (const line of lines)
        if (line !== null && line !== "") this.#waiting.push(lineOf(readNeutralAccount(line)));
    }
    this.#waiting.sort((a, b) => Date.parse(a.created ?? "") - Date.parse(b.created ?? ""));
    const everyMs = setting.everyHours * HOUR_MS;
    const hunter = await openHunter({
      store,
      config: {
        ...{ enabled: true, tickMs: everyMs, falseDiscoveryRate: 0.01 },
        ...{ declaredGateways: [], disabledDetectors: [], hiddenSizes: {}, embeddingModel: null },
      },
      previous: [],
      onFailure: (detector, error) => console.error(`${detector}: ${String(error.cause ?? error)}`),
    });
    for await (const { lines } of readLines(join(world, "exchanges.jsonl.gz"))) {
      for (const line of lines) {
        if (line === null || line === "") continue;
        const exchange = lineOf(readNeutralExchange(line));
        if (this.#nextMs === 0) this.#nextMs = (Math.floor(exchange.openedAtMs / everyMs) + 1) * everyMs;
        while (exchange.openedAtMs >= this.#nextMs) {
          clock.nowMs = this.#nextMs;
          await this.#tick(hunter);
          this.#nextMs += everyMs;
        }
        clock.nowMs = exchange.openedAtMs;
        const startedMs = performance.now();
        this.#take(exchange);
        this.spent.derive += (performance.now() - startedMs) / 1000;
      }
    }
    clock.nowMs = this.#nextMs;
    await this.#tick(hunter);
  }

  /** As a gateway would: refused, reduced, or served. A refusal is an exchange too, and detection sees it as one. */
  #take(exchange: NeutralExchange): void {
    const measure = this.#parts.table.of(exchange.account)?.measure ?? null;
    let seen = exchange;
    if (measure === "quarantine" || measure === "verify") {
      const answer = { ...exchange.answer, status: 403, text: "", usage: null, toolCalls: [] };
      seen = { ...exchange, answer };
      this.#parts.labels.count(exchange, "refused");
    } else if (measure === "reduce") {
      const { body, removed } = reduceRequest(Buffer.from(JSON.stringify(exchange.request)));
      seen = { ...exchange, request: JSON.parse(Buffer.from(body).toString()) };
      this.#parts.labels.count(exchange, removed.length > 0 ? "reduced" : "served", { isMild: true });
    } else this.#parts.labels.count(exchange, "served", { isMild: measure !== null });
    const outcome = seen.answer.status === 403 ? "refused" : "complete";
    for (const row of rowsOf({ ...seen, outcome }, KEYS).exchange_features)
      this.#builder.add(row, this.#leaf);
    this.#leaf += 1;
  }

  async #tick(hunter: Awaited<ReturnType<typeof openHunter>>): Promise<void> {
    const { store, state, table, clock } = this.#parts;
    await this.#timed("store", async () => {
      await store.insertBatch({ lines: { exchange_features: this.#builder.take() }, position: this.#leaf });
      await this.#addAccounts();
    });
    const findings = await this.#timed("hunt", () => hunter(clock.nowMs));
    await this.#timed("respond", async () => {
      await state.findings.upsert(findings);
      const { proposed, joined } = await this.#responder.tick();
      if (proposed.length + joined > 0) await this.#name();
      await this.#approve();
      await table.refresh();
    });
    this.#tell(findings.length);
  }

  async #timed<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    try {
      return await work();
    } finally {
      this.spent[phase] += (performance.now() - startedMs) / 1000;
    }
  }

  /** A line for each day of virtual time: a world takes minutes. */
  #tell(findings: number): void {
    const { clock, setting } = this.#parts;
    if (clock.nowMs - this.#toldMs < 24 * HOUR_MS) return;
    this.#toldMs = clock.nowMs;
    const day = new Date(clock.nowMs).toISOString().slice(0, 10);
    const { derive, hunt } = this.spent;
    const times = `${derive.toFixed(0)} s deriving, ${hunt.toFixed(0)} s hunting`;
    setting.onProgress(`${day}: ${this.#leaf} rows, ${findings} findings; ${times}`);
  }

  async #addAccounts(): Promise<void> {
    const { store, clock } = this.#parts;
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || Date.parse(next.created ?? "") > clock.nowMs) break;
      this.#waiting.shift();
      for (const row of accountRows(next, KEYS).account_facts) this.#builder.add(row, this.#leaf);
      this.#leaf += 1;
    }
    const lines = this.#builder.take();
    if (lines.length > 0) await store.insertBatch({ lines: { account_facts: lines }, position: this.#leaf });
  }

  /** Tells the labels about whom a measure is proposed or in effect. */
  async #name(): Promise<void> {
    const { state, labels } = this.#parts;
    const { items } = await state.verdicts.list({ live: true, limit: 1000 });
    for (const { id, measure } of items) {
      if (measure === "observe") continue;
      labels.name((await state.verdicts.members(id, { limit: 1_000_000 })).map(({ account }) => account));
    }
  }

  /** The approver sees a proposal and says yes `approvalMinutes` later; what they do in between is known already. */
  async #approve(): Promise<void> {
    const { state, setting } = this.#parts;
    const { items } = await state.verdicts.list({ status: "proposed", limit: 1000 });
    for (const { id } of items) {
      const effectiveMs = this.#responder.effectiveMs() + setting.approvalMinutes * MINUTE_MS;
      await state.verdicts.approve(id, { by: "bench", note: "approves everything", effectiveMs });
    }
  }
}

function lineOf<T>(read: { readonly value: T } | { readonly reason: string }): T {
  if ("value" in read) return read.value;
  throw new TypeError(`expected a line of a world, got ${read.reason}`);
}
