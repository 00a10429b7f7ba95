// Honest groups that look like campaigns, for the worlds beside the repository: each shares a wording and a start, and
// nobody in it asks what another asks.

const DAY = 86_400_000;
const HOUR = 3_600_000;
const MINUTE = 60_000;

const ask = (content, system) => [
  ...(system === undefined ? [] : [{ role: "system", content: system }]),
  { role: "user", content },
];
const clamp = (value, least, most) => Math.min(most, Math.max(least, Math.round(value)));

export function populate(world) {
  const r = world.r.fork("look-alikes");
  const rowsOf = (role) =>
    world
      .role(role)
      .flatMap((name) => world.data.rows(name))
      .filter(({ prompt }) => prompt && prompt.length < 4000);
  const groupsOf = (role) =>
    world
      .role(role)
      .flatMap((name) => [...world.data.groups(name)].map(([, rows]) => rows))
      .filter((rows) => rows.length >= 60);
  const dealer = (rows) => {
    let at = 0;
    return (count) => {
      at += count;
      return rows.slice(at - count, at);
    };
  };
  const benchmarks = world
    .role("benchmark")
    .map((name) => world.data.rows(name).filter(({ prompt }) => prompt))
    .filter((rows) => rows.length > 300);
  const problems = dealer(r.shuffle(rowsOf("benchmark").filter(({ kind }) => kind === "maths")));
  const questions = dealer(r.shuffle(rowsOf("seed")));
  const documents = dealer(
    r.shuffle([
      ...new Set(
        world
          .role("rag")
          .flatMap((name) => world.data.rows(name))
          .map(({ context }) => context ?? "")
          .filter((text) => text.length > 200),
      ),
    ]),
  );
  const topics = r.shuffle([...groupsOf("app"), ...groupsOf("content")]);

  const answering = (own, kind, promptOf, params) => ({
    turns: () => 1,
    render: (i) => {
      const drawn = own.fork(`item${i}`);
      const text = world.completions.cut(drawn, kind, Math.max(20, drawn.lognormal(180, 0.7)));
      return { messages: promptOf(i, drawn), text, kind, ...(params ? { params } : {}) };
    },
  });
  const member = (group, n, begins) => {
    const own = r.fork(`${group}${n}`);
    const account = world.person("individuals", own, { created: begins(own), group });
    return { own, account, from: Math.max(world.start, account.created) };
  };
  /** In sittings at the person's own hours; the first one right away. */
  const sit = ({ own, account, from }, work, items, sittings) => {
    const starts = [from, ...account.habit.times(sittings, from, account.to).slice(0, sittings - 1)];
    for (let i = 0, s = 0; s < starts.length; s += 1) {
      let time = Math.max(from, starts[s]);
      for (const upTo = ((s + 1) * items) / starts.length; i < upTo; i += 1) {
        world.push(account, time, work, i, 0);
        time += world.gaps.next(own, 400) * own.range(0.3, 1);
      }
    }
  };

  // A tool is launched: matters and topics of one's own; half of its users try it once.
  const launch = world.start + r.range(2, 6) * DAY;
  for (let n = 0; n < 45; n += 1) {
    const one = member("launched", n, (own) => launch + own.exponential(30) * HOUR);
    const stays = one.own.chance(0.5);
    const rows = one.own.sample(
      topics[n % topics.length],
      stays ? clamp(one.own.lognormal(18, 1), 4, 60) : one.own.int(1, 4),
    );
    const prompt = (i) =>
      ask(
        `Turn the following into clear notes, with headings and a list of open points.\n\n${rows[i].prompt}`,
      );
    sit(one, answering(one.own, "chat", prompt), rows.length, stays ? one.own.int(2, 9) : 1);
  }
  // An online course: problems of one's own from one collection; a quarter gives up at once.
  const course = world.start + r.range(2, 7) * DAY;
  for (let n = 0; n < 40; n += 1) {
    const one = member("course", n, (own) => course + own.range(0, 72) * HOUR);
    const stays = one.own.chance(0.75);
    const rows = problems(stays ? clamp(one.own.lognormal(14, 0.9), 4, 80) : one.own.int(1, 4));
    const prompt = (i) =>
      ask(`You are my maths coach. Solve this step by step and explain the reasoning.\n${rows[i].prompt}`);
    sit(one, answering(one.own, "maths", prompt), rows.length, stays ? one.own.int(2, 8) : 1);
  }
  // Homework in which everybody gets numbers of their own, due on one day.
  const homework = world.start + r.range(4, 8) * DAY;
  const tasks = problems(14);
  for (let n = 0; n < 50; n += 1) {
    const one = member("homework", n, (own) => homework + own.range(0, 40) * HOUR);
    const rows = one.own.sample(tasks, one.own.int(6, 14));
    const numbers = (own) => (digits) =>
      String(Math.max(2, Math.round(Number(digits) * own.range(0.5, 1.9))));
    const prompt = (i, own) =>
      ask(`Check my homework, problem:\n${rows[i].prompt.replace(/\d+/g, numbers(own))}`);
    sit(one, answering(one.own, "maths", prompt), rows.length, one.own.int(2, 4));
  }
  // A company without a declared organisation: one template, documents of one's own, one card, from one Monday on.
  const monday = world.start + 7 * DAY + 7 * HOUR;
  const office = { payment: `pm_${r.token(14)}`, email_domain: `rollout-${r.token(5)}.example` };
  for (let n = 0; n < 25; n += 1) {
    const one = member("company", n, (own) => monday + own.exponential(16) * HOUR);
    one.account.profile = { ...one.account.profile, ...office };
    const stays = one.own.chance(0.7);
    const rows = documents(stays ? clamp(one.own.lognormal(20, 1), 4, 90) : one.own.int(1, 5));
    const prompt = (i) =>
      ask(`Summarise the document below for the weekly report in five points.\n\n${rows[i]}`);
    sit(one, answering(one.own, "text", prompt), rows.length, stays ? one.own.int(2, 6) : 1);
  }
  // A platform opens an account for each of its customers; one system prompt, machines.
  for (let n = 0; n < 40; n += 1) {
    const own = r.fork(`platform${n}`);
    const created = world.start + own.range(-10, 12) * DAY;
    const account = world.business("applications", own, { created, group: "platform", kind: "chat" });
    const from = Math.max(world.start, created);
    const rows = own.chance(0.5)
      ? questions(clamp(own.lognormal(50, 1), 8, 300))
      : own.sample(topics[n % topics.length], 60);
    const prompt = (i) =>
      ask(
        rows[i].prompt,
        "You are the assistant of a shop. Answer the customer briefly and offer a next step.",
      );
    const work = answering(own, "chat", prompt);
    const span = own.range(1, 10) * DAY;
    for (let i = 0; i < rows.length; i += 1) world.push(account, from + own.next() * span, work, i, 0);
  }
  // A prompt goes around: tried once or a few times, by accounts of any age.
  const fashion = world.start + r.range(3, 9) * DAY;
  for (let n = 0; n < 60; n += 1) {
    const { own, account } = member("fashion", n, (one) => world.createdAt(one));
    const rows = questions(own.int(1, 3));
    const prompt = (i) => ask(`Explain it to me like I am five, then roast my question:\n${rows[i].prompt}`);
    const work = answering(own, "chat", prompt);
    let time = fashion + own.exponential(40) * HOUR;
    for (let i = 0; i < rows.length; i += 1) {
      world.push(account, time, work, i, 0);
      time += own.chance(0.2) ? own.exponential(20) * HOUR : own.exponential(4) * MINUTE;
    }
  }
  // A new model is out: half of the evaluators put a part of a known benchmark to it, half questions that only they have.
  for (let n = 0; n < 14; n += 1) {
    const own = r.fork(`release${n}`);
    const account = world.business("evaluators", own, { group: "release", kind: "chat" });
    const count = own.int(120, 500);
    const known = benchmarks[n % benchmarks.length];
    const rows = n % 2 === 0 ? own.sample(known, Math.min(count, known.length)) : problems(count);
    const prompt = (i) =>
      ask(`Question: ${rows[i].prompt}\nLet's think step by step. Finish with: The answer is`);
    const work = answering(own, "maths", prompt, { temperature: 0, max_tokens: 512 });
    const pace = own.range(10, 90) * 1000;
    let time = world.release + own.exponential(20) * HOUR;
    for (let i = 0; i < rows.length; i += 1, time += own.exponential(pace))
      world.push(account, time, work, i, 0);
  }
}
