// Attack families and honest look-alikes for the worlds beside the repository: probes that those worlds don't have.

const DAY = 86_400_000;
const VALUES = 24;

/** Small changes of a text: words dropped, doubled or swapped, in `edits` places. */
function changed(r, text, edits) {
  const words = text.split(" ");
  for (let i = 0; i < edits && words.length > 8; i += 1) {
    const at = r.int(0, words.length - 2);
    const kind = r.int(0, 2);
    if (kind === 0) words.splice(at, 1);
    else if (kind === 1) words.splice(at, 0, r.pick(words));
    else [words[at], words[at + 1]] = [words[at + 1], words[at]];
  }
  return words.join(" ");
}

/** Passages of 60 to 120 words, whole sentences not needed. */
function passagesOf(data) {
  const texts = data
    .withRole("rag")
    .flatMap((name) => data.rows(name))
    .map((row) => row.context ?? "")
    .filter((text) => text.split(" ").length >= 70);
  return [...new Set(texts)].map((text) => text.split(" ").slice(0, 120).join(" "));
}

const ask = (content) => [{ role: "user", content }];
const plain = [{ after: "" }];

/** Numeric inputs as a program sends them; the answer is the class. */
function numbers(values) {
  const score = values.reduce((sum, value, at) => sum + value * Math.sin(1 + at), 0);
  const input = {
    name: "input",
    shape: [1, VALUES],
    datatype: "FP32",
    data: values.map((x) => +x.toFixed(5)),
  };
  return { messages: [], text: score > 0 ? "1" : "0", kind: "label", params: { inputs: [input] } };
}
const point = (r) => Array.from({ length: VALUES }, () => r.range(-1, 1));
const moved = (r, from, step) => from.map((value) => value + step * r.normal());

export function register(families) {
  /** Many answers to each of many problems, `n` in one request. */
  families.nbest = ({ data, options }) => {
    const rows = data
      .withRole("benchmark")
      .flatMap((name) => data.rows(name))
      .filter((row) => row.prompt);
    const params = { n: options.n ?? 16, temperature: 1, max_tokens: 512 };
    return {
      size: rows.length,
      wrappers: plain,
      params,
      render: (i, _j, _r, o) => ({
        messages: ask(rows[i].prompt),
        text: o.invent(rows[i], 0, "maths"),
        kind: "maths",
      }),
    };
  };
  /** A text and its neighbours, one after the other. */
  families.neighbours = ({ data, options }) => {
    const texts = passagesOf(data);
    const versions = options.versions ?? 12;
    return {
      size: texts.length,
      wrappers: plain,
      params: { max_tokens: 1, logprobs: true, top_logprobs: 5, temperature: 0 },
      turns: () => versions,
      render: (i, j, r) => ({
        messages: ask(j === 0 ? texts[i] : changed(r.fork(`v${j}`), texts[i], 3)),
        text: "a",
        kind: "label",
      }),
    };
  };
  /** The first fifty words of a text, and what comes next. */
  families.prefixes = ({ data }) => {
    const texts = passagesOf(data);
    const cut = (text) =>
      text
        .split(" ")
        .slice(0, 50)
        .join(" ")
        .replace(/[^\p{L}]+$/u, "");
    return {
      size: texts.length,
      wrappers: plain,
      params: { max_tokens: 50, temperature: 0 },
      render: (i, _j, _r, o) => ({
        messages: ask(cut(texts[i])),
        text: o.invent({ prompt: texts[i] }, 0, "text").slice(0, 200),
        kind: "text",
      }),
    };
  };
  /** Seeds, and small steps away from each. */
  families.boundary = ({ r, options }) => {
    const steps = options.steps ?? 10;
    return {
      size: 100_000,
      wrappers: plain,
      params: {},
      turns: () => steps,
      render: (i, j, own) => numbers(moved(own.fork(`v${j}`), point(r.fork(`seed${i}`)), 0.02)),
    };
  };
}

/** Honest accounts that do what these families do, for reasons of their own. */
export function populate(world) {
  const r = world.r.fork("probing");
  const problems = world
    .role("benchmark")
    .flatMap((name) => world.data.rows(name))
    .filter((row) => row.prompt);
  const texts = passagesOf(world.data);
  const start = world.start;
  const at = (render) => ({ turns: () => 1, render });
  const invent = (row) => row.completion ?? "The result follows from what is given.";

  const product = (n) => {
    const own = r.fork(`product${n}`);
    const account = world.business("applications", own, { kind: "chat" });
    const rows = own.sample(problems, 150);
    const work = at((i) => ({
      messages: ask(rows[i].prompt),
      text: invent(rows[i]),
      kind: "chat",
      params: { n: 8, temperature: 0.8 },
    }));
    for (let k = 0; k < 900; k += 1)
      world.push(account, start + own.next() * world.days * DAY, work, Math.floor(150 * own.next() ** 2), 0);
  };
  const evaluator = (n, { items, samples, asN, mode }) => {
    const own = r.fork(`evaluator${mode}${n}`);
    const account = world.business("evaluators", own, { kind: "chat" });
    const rows = own.sample(
      problems.filter((row) => row.prompt.split(" ").length > 25),
      items,
    );
    const render = (i) => {
      const row = rows[i % items];
      const text = mode === "robust" && i >= items ? changed(own.fork(`v${i}`), row.prompt, 2) : row.prompt;
      const params =
        mode === "robust"
          ? { temperature: 0, logprobs: true, top_logprobs: 5 }
          : { temperature: 0.8, ...(asN ? { n: samples } : {}) };
      return { messages: ask(text), text: invent(row), kind: "maths", params };
    };
    const work = at(render);
    let time = start + own.range(0.2, world.days - 1) * DAY;
    for (let i = 0; i < (asN ? items : items * samples); i += 1, time += own.exponential(5_000))
      world.push(account, time, work, i, 0);
  };
  const writer = (n) => {
    const own = r.fork(`writer${n}`);
    const account = world.person("individuals", own);
    const mine = own.sample(texts, 25);
    const work = at((i, j) => ({
      messages: ask(
        `Please improve this.\n${mine[i]
          .split(" ")
          .slice(0, 40 + 9 * j)
          .join(" ")}`,
      ),
      text: mine[i],
      kind: "text",
    }));
    for (let i = 0; i < mine.length; i += 1) {
      let time = start + own.next() * (world.days - 0.5) * DAY;
      for (let j = 0; j < 9; j += 1, time += own.exponential(240_000)) world.push(account, time, work, i, j);
    }
  };
  const again = (n) => {
    const own = r.fork(`again${n}`);
    const account = world.person("individuals", own);
    const mine = own.sample(problems, 30);
    const work = at((i) => ({
      messages: ask(mine[i].prompt),
      text: invent(mine[i]),
      kind: "chat",
      params: { temperature: 1 },
    }));
    for (let i = 0; i < mine.length; i += 1) {
      let time = start + own.next() * (world.days - 0.2) * DAY;
      for (let k = own.int(1, i < 8 ? 14 : 4); k > 0; k -= 1, time += own.exponential(20_000))
        world.push(account, time, work, i, 0);
    }
  };
  const classifier = (n, kind) => {
    const own = r.fork(`classifier${kind}${n}`);
    const account = world.business("applications", own, { kind: "label" });
    let last = point(own);
    const places = Array.from({ length: 200 }, () => {
      last = kind === "natural" ? point(own) : kind === "walk" ? moved(own, last, 0.02) : last;
      return kind === "rest" ? moved(own, last, 0.02) : last;
    });
    const work = at((i) => numbers(places[i]));
    for (let i = 0; i < places.length; i += 1)
      world.push(account, start + ((i + 0.5 * own.next()) / 200) * world.days * DAY, work, i, 0);
  };
  const cloze = world.data.has("cloze") ? world.data.rows("cloze") : [];
  const blanks = (n, { items, again: times }) => {
    const own = r.fork(`blanks${items}${n}`);
    const account = world.business(times > 1 ? "applications" : "evaluators", own, { kind: "label" });
    const rows = own.sample(cloze, items);
    const work = at((i) => ({
      messages: ask(`Fill in the gap.\n${rows[i].prompt}`),
      text: rows[i].completion,
      kind: "label",
      params: { max_tokens: 8 },
    }));
    let time = start + own.range(0.5, 2) * DAY;
    for (let i = 0; i < items * times; i += 1) {
      time = times > 1 ? start + own.next() * world.days * DAY : time + own.exponential(8_000);
      world.push(account, time, work, times > 1 ? own.int(0, items - 1) : i, 0);
    }
  };

  for (let n = 0; n < 3; n += 1) product(n);
  for (let n = 0; n < 2; n += 1) {
    evaluator(n, { items: 160, samples: 32, asN: true, mode: "samples" });
    evaluator(n + 2, { items: 60, samples: 12, asN: false, mode: "samples" });
    evaluator(n, { items: 120, samples: 5, asN: false, mode: "robust" });
    evaluator(n + 2, { items: 40, samples: 12, asN: false, mode: "robust" });
  }
  for (let n = 0; n < 6; n += 1) writer(n);
  for (let n = 0; n < 6; n += 1) again(n);
  for (let n = 0; n < 25; n += 1) classifier(n, "natural");
  for (let n = 0; n < 3; n += 1) classifier(n, "walk");
  for (let n = 0; n < 3; n += 1) classifier(n, "rest");
  if (cloze.length >= 600) {
    blanks(0, { items: 600, again: 1 });
    blanks(1, { items: 90, again: 6 });
  }
}
