// How much a copy of a model needs: the stated model by which budgets are sized. docs/response.md tells formula and sources.

/** What a copy would be of. */
export interface CopyTarget {
  /**
   * `chat`: a general assistant; `capability`: one skill of one (reasoning, code); `classifier`, `embedding`: models
   * that answer with labels or vectors; `outputLayer`: the last layer's weights, from log-probabilities.
   */
  readonly kind: "chat" | "capability" | "classifier" | "embedding" | "outputLayer";
  /** Width of the last layer. */
  readonly hiddenSize: number;
  /** Tokens of the vocabulary, or classes of a classifier. */
  readonly vocabulary: number;
}

/** Amounts of each unit that a budget may count. */
export type CopyNeeds = Readonly<
  Record<
    "requests" | "inputTokens" | "outputTokens" | "distinctPrompts" | "logprobEntries" | "embeddingCells",
    number
  >
>;

/** The smallest campaign against a chat model that a provider has put a figure on: 150,000 exchanges (Anthropic, February 2026). */
const CHAT_EXCHANGES = 150_000;
/** Alpaca's 52,002 instructions: the classic size of a set that carries one model's manner over to another (Taori et al., 2023). */
const CAPABILITY_EXCHANGES = 52_000;
/** A knock-off reaches nine tenths of a ten-class network's decisions with about 50 in-distribution questions a class. */
const CLASSIFIER_QUESTIONS_PER_CLASS = 50;
/** A grey-box copy of a frozen encoder needs twice its last layer's width in questions. */
const QUESTIONS_PER_DIMENSION = 2;
/** Cells of the embedding space: 12 random hyperplanes; a user who has seen four fifths of them has seen the space (B4B, 2023). */
const EMBEDDING_CELLS = Math.floor(0.8 * 2 ** 12);
/** Assumed where nothing better is known: tokens of one question and of one answer. */
const INPUT_TOKENS = 300;
const OUTPUT_TOKENS = 600;

/** What a copy needs of each unit at least. Lower bounds by published work: a thief with more skill may need less. */
export function copyNeeds(target: CopyTarget): CopyNeeds {
  const requests = exchangesFor(target);
  return {
    requests,
    distinctPrompts: requests,
    inputTokens: requests * INPUT_TOKENS,
    outputTokens: requests * OUTPUT_TOKENS,
    // The output layer has hiddenSize x vocabulary entries, and one log-probability tells at most one of them.
    logprobEntries: target.hiddenSize * target.vocabulary,
    embeddingCells: EMBEDDING_CELLS,
  };
}

/** A budget's limit: as configured, or that share of what a copy needs; at least 1. */
export function limitOf(
  budget: {
    readonly unit: keyof CopyNeeds;
    readonly limit: number | null;
    readonly copyShare: number | null;
  },
  target: CopyTarget,
): number {
  if (budget.limit !== null) return budget.limit;
  return Math.max(1, Math.floor((budget.copyShare ?? 1) * copyNeeds(target)[budget.unit]));
}

/**
 * How long a copy takes at least when every account keeps within the budget, seconds: windows that must pass before
 * `accounts` accounts together have drawn what a copy needs.
 */
export function secondsToCopy(
  budget: { readonly unit: keyof CopyNeeds; readonly windowSeconds: number },
  { limit, accounts, target }: { limit: number; accounts: number; target: CopyTarget },
): number {
  const windows = Math.ceil(copyNeeds(target)[budget.unit] / (limit * accounts));
  return Math.max(0, windows - 1) * budget.windowSeconds;
}

function exchangesFor({ kind, hiddenSize, vocabulary }: CopyTarget): number {
  switch (kind) {
    case "chat":
      return CHAT_EXCHANGES;
    case "capability":
      return CAPABILITY_EXCHANGES;
    case "classifier":
      return Math.max(1, CLASSIFIER_QUESTIONS_PER_CLASS * vocabulary);
    case "embedding":
      return QUESTIONS_PER_DIMENSION * hiddenSize;
    case "outputLayer":
      // More full vectors of logits than the layer is wide determine it (Carlini et al., ICML 2024).
      return hiddenSize + 1;
  }
}
