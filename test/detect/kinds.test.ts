// What kind of request it is: capabilities and languages in many tongues, continuations, and contradictions of a relay.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Client, Exchange } from "../../src/core/exchange.ts";
import { CAPABILITY } from "../../src/detect/features/capability-words.ts";
import type { FeatureRow } from "../../src/detect/features/feature-row.ts";
import { RELAY } from "../../src/detect/features/relay.ts";
import { rowsOf } from "../../src/detect/features/rows.ts";

const KEYS = { secret: new Uint8Array(32).fill(3) };
const CLIENT: Client = {
  ...{ ip: null, asn: null, country: null, ja4: null },
  ...{ userAgent: null, headers: [] },
};

function rowOf(messages: readonly object[], client: Partial<Client> = {}): FeatureRow {
  const exchange: Exchange = {
    ...{ id: "x", account: "a", key: null, openedAtMs: 0, closedAtMs: 0, endpoint: "/v1/chat/completions" },
    client: { ...CLIENT, ...client },
    request: { model: "m", messages },
    answer: { status: 200, text: "", finishReason: null, toolCalls: [], usage: null },
    outcome: "complete",
  };
  return rowsOf(exchange, KEYS).exchange_features[0];
}

const said = (role: string, content: string): object => ({ role, content });
const asked = (text: string): FeatureRow => rowOf([said("user", text)]);

test("capabilities are told in many languages, in the message or in the system prompt", () => {
  const texts: Record<keyof typeof CAPABILITY, readonly string[]> = {
    reasoning: [
      "A shop sells pens at 3 for 2. What do 12 cost? Explain it STEP BY STEP.",
      "¿Cuánto pesa? Resuélvelo paso a paso.",
      "Combien de trains partent ? Réponds étape par étape.",
      "Löse die Gleichung Schritt für Schritt.",
      "Quanto custa? Resolva passo a passo.",
      "Реши задачу, рассуждая шаг за шагом.",
      "请一步一步地解这道题。",
      "この問題を段階的に解いてください。",
      "이 문제를 단계별로 풀어 주세요.",
    ],
    rationale: ["Here is a reply. Reconstruct the reasoning that led to it.", "请写出得出这个答案的过程。"],
    judging: [
      "Grade it with this rubric; the criteria are below.",
      "Bewerte die Antwort von 1 bis 5.",
      "Оцените ответ ученика.",
      "请按照评分标准给出分数。",
    ],
    preference: [
      "Which of the two responses is more polite?",
      "Welche Antwort ist besser?",
      "哪个回答更好？",
    ],
    acting: ["Thought: I must look it up. Action: search", "必要なら関数呼び出しをしてください。"],
    testedCode: ["Write a queue in Go with unit tests.", "Schreibe dazu Unit-Tests.", "并写出单元测试。"],
    translation: [
      "Translate into Czech: hello",
      "Переведи на английский",
      "把下面翻译成英文",
      "Traduis en anglais",
    ],
    rewrite: ["Give me a version that avoids politically sensitive matters.", "请避免敏感话题重新表述。"],
    exam: [
      "What is the capital?\nA) Lima\nB) Quito\nC) La Paz",
      "下列哪一项是正确的？",
      "Choose the correct option.",
    ],
    trainingTasks: [
      "Write a list of diverse tasks. Keep to one sentence each.",
      "Make this instruction into a more complex one, with a constraint more.",
      "Crea instrucciones diversas para un asistente.",
      "Schreibe zwölf vielfältige Anweisungen an ein Modell.",
      "请写出多样化的指令。",
      "多様な指示を考えてください。",
    ],
  };
  for (const [name, bit] of Object.entries(CAPABILITY)) {
    for (const text of texts[name as keyof typeof CAPABILITY]) {
      assert.ok((asked(text).capabilities & bit) !== 0, `${name}: ${text}`);
      assert.ok((rowOf([said("system", text), said("user", "hi")]).capabilities & bit) !== 0, text);
    }
  }
  for (const plain of [
    "What should I cook tonight with two eggs and some rice?",
    "¿Qué tiempo hará mañana en la costa?",
    "Schreib meiner Tante einen kurzen Brief zum Geburtstag.",
    "今天天气怎么样？",
    "As a language model, your training data ends some years ago. Follow the task.",
    "",
  ])
    assert.equal(asked(plain).capabilities, 0, plain);
});

test("script and language are guessed, and left open where nothing tells", () => {
  const guesses: readonly (readonly [text: string, script: string, language: string])[] = [
    ["Where is the nearest station, and how do I get there from the hotel?", "Latn", "en"],
    ["¿Dónde está la estación y cómo llego desde el hotel?", "Latn", "es"],
    ["Onde fica a estação e como é que eu chego do hotel até lá com uma criança?", "Latn", "pt"],
    ["Où se trouve la gare et comment aller de la ville dans les montagnes ?", "Latn", "fr"],
    ["Wo ist der Bahnhof und wie komme ich mit dem Zug zu den Bergen?", "Latn", "de"],
    ["Где находится вокзал и как до него дойти из гостиницы?", "Cyrl", "ru"],
    ["Де знаходиться вокзал та як до нього дійти, якщо це далеко?", "Cyrl", "uk"],
    ["车站在哪里？", "Hans", "zh"],
    ["駅はどこですか。", "Jpan", "ja"],
    ["역이 어디에 있나요?", "Kore", "ko"],
    ["أين المحطة؟", "Arab", "ar"],
    ["สถานีอยู่ที่ไหน", "Thai", "th"],
    ["x = 3", "Latn", ""],
    ["12 + 30", "", ""],
  ];
  for (const [text, script, language] of guesses) {
    const row = asked(text);
    assert.deepEqual([row.script, row.language], [script, language], text);
  }
});

test("a conversation that goes on names the one it goes on from", () => {
  const start = [said("system", "Be brief."), said("user", "Name a river.")];
  const next = [...start, said("assistant", "The Elbe."), said("user", "Another one.")];
  const after = [...next, said("assistant", "The Rhine."), said("tool", "ok"), said("user", "And a third?")];
  assert.equal(rowOf(start).prefix, 0n);
  assert.equal(rowOf(next).prefix, rowOf(start).conversation);
  assert.equal(rowOf(after).prefix, rowOf(next).conversation);
  const other = [said("system", "Be long."), ...next.slice(1)];
  assert.notEqual(rowOf(other).prefix, rowOf(start).conversation);
});

test("versions of a system prompt share keys, and a short one has none", () => {
  const words = Array.from({ length: 60 }, (_, i) => String.fromCharCode(97 + (i % 26)).repeat(2 + (i % 7)));
  const version = words.with(20, "changed").join(" ");
  const keys = rowOf([said("system", words.join(" ")), said("user", "hi")]).system_near;
  const others = rowOf([said("system", version), said("user", "hi")]).system_near;
  assert.ok(keys.some((key) => others.includes(key)));
  assert.deepEqual(rowOf([said("system", "Be brief."), said("user", "hi")]).system_near, []);
});

test("a relay shows by what headers, user agent and prompt say of the machine", () => {
  const environment = [
    said("system", "You are an agent.\nWorking directory: /Users/marta/shop\nPlatform: darwin"),
    said("user", "hi"),
  ];
  const onMac = { userAgent: "agent/2.1 (darwin; arm64)", declaredSystem: "MacOS" };
  const onLinux = { userAgent: "OpenAI/Python 1.2", declaredSystem: "Linux" };
  assert.equal(rowOf(environment, onMac).relay, 0);
  assert.equal(rowOf(environment, onLinux).relay, RELAY.systemAndPrompt);
  assert.equal(
    rowOf([said("user", "hi")], { userAgent: "agent/1 (Windows NT 10.0)", declaredSystem: "Linux" }).relay,
    RELAY.systemAndHeaders,
  );
  const browser =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
  const bare = { userAgent: browser, headers: ["host", "accept"] };
  assert.equal(rowOf([said("user", "hi")], bare).relay, RELAY.browserWithoutFetch);
  const fetched = {
    userAgent: "python-requests/2",
    headers: ["sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"],
  };
  assert.equal(rowOf([said("user", "hi")], fetched).relay, RELAY.fetchWithoutBrowser);
  assert.equal(
    rowOf([said("user", "How do I find C:\\Users\\me on Windows? My platform is odd.")], onMac).relay,
    0,
    "a question about another system is no statement about one's own",
  );
  const home = rowOf(environment).home;
  assert.notEqual(home, 0n);
  const same = rowOf([said("user", "<env><cwd>/home/marta/other</cwd></env>")]).home;
  assert.equal(same, home, "one person's folder on two machines");
  assert.equal(rowOf([said("user", "Working directory: /home/runner/work")]).home, 0n);
});

test("any text has a kind, in time linear in its length", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
      const row = rowOf([said("system", text), said("user", text)], {
        userAgent: text,
        declaredSystem: text,
      });
      assert.ok(row.capabilities >= 0 && row.capabilities < 1024 && row.relay >= 0 && row.relay < 16);
      assert.deepEqual(
        row,
        rowOf([said("system", text), said("user", text)], { userAgent: text, declaredSystem: text }),
      );
    }),
    { numRuns: 100 },
  );
  for (const piece of ["cwd: ", "<os>", "platform \t*", "\nos ", "a b c\n", "翻"]) {
    const began = process.cpuUsage().user;
    asked(piece.repeat(Math.ceil(100_000 / piece.length)));
    assert.ok(process.cpuUsage().user - began < 2_000_000, piece);
  }
});
