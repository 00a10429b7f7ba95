// The words by which capabilities are told: content, not code.
import type { WordList } from "./lexicon.ts";
import { TRAINING_TASK_WORDS } from "./training-task-words.ts";

/** One bit a capability. A bit says what is asked for, not why: honest traffic sets all of them. */
export const CAPABILITY = {
  /** A solution with its steps. */
  reasoning: 1,
  /** Reasons made up afterwards for an answer that is given. */
  rationale: 2,
  /** Marks against a rubric. */
  judging: 4,
  /** Which of two answers is better. */
  preference: 8,
  /** Tools, and steps of acting and observing. */
  acting: 16,
  /** Programs together with their tests. */
  testedCode: 32,
  translation: 64,
  /** Sensitive matters put into other words. */
  rewrite: 128,
  /** Items of an exam with choices. */
  exam: 256,
  /** Tasks and instructions made up for another model to be trained on. */
  trainingTasks: 512,
} as const;

/**
 * Prototypes, written for this purpose: English, Spanish, Portuguese, French, German, Italian, Russian, Turkish,
 * Indonesian, Chinese, Japanese, Korean. Compared in lower case, with accents.
 */
export const CAPABILITY_WORDS: readonly WordList[] = [
  {
    bit: CAPABILITY.reasoning,
    sure: [
      ...[
        "step by step",
        "chain of thought",
        "show your work",
        "show all your work",
        "think aloud",
        "think out loud",
      ],
      ...[
        "show every step",
        "show all steps",
        "show each step",
        "explain your reasoning",
        "explain each step",
      ],
      ...[
        "think it through",
        "reason through",
        "reason carefully",
        "think carefully before",
        "work through the problem",
      ],
      ...[
        "paso a paso",
        "razona tu respuesta",
        "muestra tu razonamiento",
        "muestra los pasos",
        "piensa en voz alta",
      ],
      ...["passo a passo", "mostre seu raciocínio", "mostre o raciocínio", "explique seu raciocínio"],
      ...[
        "étape par étape",
        "pas à pas",
        "montre ton raisonnement",
        "montrez votre raisonnement",
        "détaille ton raisonnement",
      ],
      ...[
        "schritt für schritt",
        "zeige deinen rechenweg",
        "zeige deine überlegungen",
        "denke laut",
        "begründe jeden schritt",
      ],
      ...["passo dopo passo", "passo per passo", "mostra il ragionamento", "spiega il ragionamento"],
      ...["шаг за шагом", "пошагово", "покажи ход рассуждений", "покажи ход решения", "рассуждай вслух"],
      ...["adım adım", "düşünme sürecini", "langkah demi langkah", "tunjukkan langkah"],
      ...["一步一步", "一步步", "逐步", "思考过程", "推理过程", "解题过程", "詳細步驟"],
      ...[
        "ステップバイステップ",
        "段階的に",
        "順を追って",
        "途中式",
        "考え方の過程",
        "단계별로",
        "풀이 과정",
        "추론 과정",
      ],
    ],
    hints: [
      "reasoning",
      "rationale",
      "derivation",
      "intermediate",
      "steps",
      "raciocínio",
      "razonamiento",
      "raisonnement",
    ],
  },
  {
    bit: CAPABILITY.rationale,
    sure: [
      ...["reasoning behind this answer", "reasoning behind the answer", "reasoning behind the response"],
      ...[
        "reasoning that led to",
        "thought process behind",
        "thinking behind the answer",
        "how this answer was reached",
      ],
      ...[
        "how the answer was reached",
        "reconstruct the reasoning",
        "write the reasoning that",
        "internal reasoning",
      ],
      ...["razonamiento que llevó", "razonamiento detrás de", "raciocínio por trás", "raciocínio que levou"],
      ...[
        "raisonnement qui a conduit",
        "raisonnement derrière",
        "überlegungen hinter der antwort",
        "gedankengang hinter",
      ],
      ...[
        "ragionamento dietro",
        "ход мыслей который привёл",
        "рассуждения стоящие за",
        "推导出该答案的",
        "得出这个答案的",
      ],
      ...["答案背后的推理", "この答えに至る", "この回答に至った", "이 답에 이르는"],
    ],
    hints: [
      "given answer",
      "final answer is",
      "completed response",
      "already answered",
      "known answer",
      "justify why",
    ],
  },
  {
    bit: CAPABILITY.judging,
    sure: [
      ...[
        "scoring rubric",
        "grading rubric",
        "according to the rubric",
        "using the rubric",
        "grade the following answer",
      ],
      ...[
        "rate the response",
        "rate the answer",
        "score the response",
        "score the answer",
        "evaluate the response",
      ],
      ...["evaluate the answer", "impartial judge", "on a scale of", "assign a score", "give a score"],
      ...["evalúa la respuesta", "califica la respuesta", "rúbrica", "avalie a resposta", "dê uma nota"],
      ...[
        "évalue la réponse",
        "évaluez la réponse",
        "note la réponse",
        "grille d'évaluation",
        "bewerte die antwort",
      ],
      ...["bewertungsraster", "vergib eine punktzahl", "valuta la risposta", "griglia di valutazione"],
      ...["оцени ответ", "оцените ответ", "по шкале от", "puan ver", "nilai jawaban"],
      ...["评分标准", "给出评分", "打分", "評分", "採点", "評価基準", "채점", "평가 기준"],
    ],
    hints: ["rubric", "grader", "criteria", "scores", "judge", "correctness", "helpfulness", "harmlessness"],
  },
  {
    bit: CAPABILITY.preference,
    sure: [
      ...[
        "which response is better",
        "which answer is better",
        "which of the two responses",
        "which of the two answers",
      ],
      ...["better of the two", "compare the two responses", "compare the two answers", "preferred response"],
      ...[
        "chosen and rejected",
        "prefer response a",
        "response a or response b",
        "assistant a and assistant b",
      ],
      ...[
        "qué respuesta es mejor",
        "cuál de las dos respuestas",
        "qual resposta é melhor",
        "qual das duas respostas",
      ],
      ...[
        "quelle réponse est meilleure",
        "laquelle des deux réponses",
        "welche antwort ist besser",
        "welche der beiden antworten",
      ],
      ...[
        "quale risposta è migliore",
        "quale delle due risposte",
        "какой ответ лучше",
        "какой из двух ответов",
      ],
      ...["hangi yanıt daha iyi", "哪个回答更好", "哪个答案更好", "两个回答", "どちらの回答", "어느 답변이"],
    ],
    hints: [
      "response a",
      "response b",
      "answer a",
      "answer b",
      "assistant a",
      "assistant b",
      "tie",
      "win rate",
    ],
  },
  {
    bit: CAPABILITY.acting,
    sure: [
      ...[
        "function call",
        "function calls",
        "tool call",
        "tool calls",
        "call the tool",
        "use the tools",
        "available tools",
      ],
      ...[
        "llamada a función",
        "chamada de função",
        "appel de fonction",
        "funktionsaufruf",
        "вызов функции",
        "вызови функцию",
      ],
      ...["调用工具", "工具调用", "函数调用", "ツールを使", "関数呼び出し", "도구를 사용", "함수 호출"],
    ],
    hints: [
      "thought",
      "action",
      "action input",
      "observation",
      "plan",
      "execute",
      "browser",
      "shell command",
    ],
  },
  {
    bit: CAPABILITY.testedCode,
    sure: [
      ...[
        "unit test",
        "unit tests",
        "test cases for the function",
        "pass the tests",
        "passes the tests",
        "write tests",
      ],
      ...["with tests", "pytest", "assert statements", "test suite", "pruebas unitarias", "testes unitários"],
      ...[
        "tests unitaires",
        "komponententest",
        "komponententests",
        "unit-tests",
        "test unitari",
        "модульные тесты",
      ],
      ...[
        "юнит тесты",
        "birim testi",
        "单元测试",
        "測試用例",
        "测试用例",
        "単体テスト",
        "ユニットテスト",
        "단위 테스트",
      ],
    ],
    hints: [
      "implement",
      "function",
      "docstring",
      "assert",
      "edge cases",
      "return value",
      "refactor",
      "compile",
    ],
  },
  {
    bit: CAPABILITY.translation,
    sure: [
      ...[
        "translate",
        "translate this",
        "translation of the following",
        "traduce",
        "traducir",
        "traduzca",
        "traduza",
      ],
      ...[
        "traduzir",
        "traduis",
        "traduisez",
        "traduire",
        "übersetze",
        "übersetzen",
        "traduci",
        "tradurre",
        "traduca",
      ],
      ...["переведи", "переведите", "перевод на", "çevir", "çeviri", "terjemahkan"],
      ...["翻译", "翻譯", "译成", "訳して", "翻訳", "번역"],
    ],
    hints: [],
  },
  {
    bit: CAPABILITY.rewrite,
    sure: [
      ...[
        "politically sensitive",
        "sensitive topics",
        "sensitive content",
        "avoid censorship",
        "neutral and safe",
      ],
      ...[
        "rewrite in a neutral tone",
        "safe version of",
        "without mentioning politics",
        "políticamente sensible",
      ],
      ...["temas sensibles", "tom neutro", "politiquement sensible", "sujets sensibles", "politisch heikel"],
      ...["heikle themen", "politicamente sensibile", "политически чувствительн", "чувствительные темы"],
      ...["敏感话题", "政治敏感", "敏感内容", "規避審查", "避免敏感", "政治的に敏感", "민감한 주제"],
    ],
    hints: [
      "rewrite",
      "neutral",
      "sensitive",
      "harmless",
      "censored",
      "compliant",
      "reformula",
      "umformulieren",
    ],
  },
  {
    bit: CAPABILITY.exam,
    sure: [
      ...[
        "multiple choice",
        "choose the correct answer",
        "select the correct answer",
        "choose the correct option",
      ],
      ...[
        "select the correct option",
        "choose the best answer",
        "select the best answer",
        "which of the following",
      ],
      ...[
        "true or false",
        "opción correcta",
        "respuesta correcta",
        "alternativa correta",
        "resposta correta",
      ],
      ...["bonne réponse", "réponse correcte", "richtige antwort", "multiple-choice", "risposta corretta"],
      ...["правильный ответ", "выберите верный", "doğru seçeneği", "jawaban yang benar"],
      ...["选择题", "正确答案", "以下哪", "下列哪", "正しい選択肢", "次のうち", "정답을 고르", "다음 중"],
    ],
    hints: ["option a", "option b", "options", "question", "exam", "quiz"],
  },
  { bit: CAPABILITY.trainingTasks, ...TRAINING_TASK_WORDS },
];
