// A few hundred exchanges of a few honest accounts, in the neutral form: enough to drive import, replay and ingest.

export interface SmallWorld {
  /** Lines of an exchanges file, in the order of time. */
  readonly exchanges: readonly string[];
  /** Lines of an accounts file. */
  readonly accounts: readonly string[];
}

const START_MS = Date.UTC(2026, 2, 2, 8);
const WORDS = "the quick brown fox jumps over a lazy dog while seven wizards make toxic brew for Jack".split(
  " ",
);

/** Deterministic: the same options give the same lines. */
export function smallWorld(options: { readonly exchanges: number; readonly accounts?: number }): SmallWorld {
  const random = generator(options.exchanges);
  const names = Array.from({ length: options.accounts ?? 12 }, (_, index) => `acct_${index}`);
  const accounts = names.map((account, index) =>
    JSON.stringify({
      account,
      created: new Date(START_MS - (index - 6) * 1_800_000).toISOString(),
      plan: index % 2 === 0 ? "free" : "team",
      payment: `pm_${index}`,
      email_domain: "example.org",
      country: "CH",
      organization: null,
      declared_use: null,
    }),
  );
  let at = START_MS;
  const exchanges = Array.from({ length: options.exchanges }, (_, index) => {
    at += Math.floor(random() * 60_000);
    const account = names[Math.floor(random() * names.length)] ?? "acct_0";
    return JSON.stringify(exchange(index, at, account, random));
  });
  return { exchanges, accounts };
}

function exchange(index: number, atMs: number, account: string, random: () => number): object {
  const failed = random() < 0.05;
  const sentence = (length: number): string =>
    Array.from({ length }, () => WORDS[Math.floor(random() * WORDS.length)]).join(" ");
  return {
    id: `x${String(index).padStart(6, "0")}`,
    time: new Date(atMs).toISOString(),
    account,
    key: `key_${account}`,
    client: {
      ip: `192.0.2.${Math.floor(random() * 255)}`,
      asn: 64_500,
      country: "CH",
      user_agent: "example/1.0",
      ja4: "t13d1516h2_8daaf6152771_02713d6af862",
      headers: ["host", "user-agent", "content-type", "authorization"],
    },
    endpoint: "/v1/chat/completions",
    request: {
      model: "model-a",
      messages: [{ role: "user", content: sentence(5 + Math.floor(random() * 40)) }],
      temperature: 0.5,
    },
    response: failed
      ? { status: 500, text: "" }
      : {
          status: 200,
          text: sentence(10 + Math.floor(random() * 60)),
          finish_reason: "stop",
          usage: { prompt_tokens: 20, completion_tokens: 40 },
        },
    latency_ms: Math.floor(random() * 20_000),
  };
}

/** Numbers from 0 to 1 of a linear congruential generator: good enough to vary lengths. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
