// Measures what was drawn from budgets that only the analytical store can count: distinct prompts, log-probabilities, coverage.

/**
 * Cells of the embedding space: on which side of 12 orthogonal hyperplanes a prompt lies, 2^12 = 4096 cells (B4B takes
 * as many). The hyperplanes are rows of the Walsh-Hadamard matrix over the sketch's 64 coordinates; the sketch itself
 * is keyed, so nobody outside knows them.
 */
const HYPERPLANES = "[1, 2, 4, 7, 8, 11, 13, 16, 19, 21, 32, 35]";

export type MeasuredUnit =
  | "requests"
  | "inputTokens"
  | "outputTokens"
  | "distinctPrompts"
  | "logprobEntries"
  | "embeddingCells";

/** One amount for each unit of a budget; the texts are constants, so that nothing of a request is ever in a statement. */
const AMOUNTS: Readonly<Record<MeasuredUnit, string>> = {
  requests: "toFloat64(count())",
  inputTokens: "toFloat64(sum(prompt_tokens))",
  outputTokens: "toFloat64(sum(completion_tokens))",
  distinctPrompts: "toFloat64(uniqCombined(skeleton, input))",
  logprobEntries: "toFloat64(sum(toUInt64(top_logprobs) * greatest(choices, 1) * completion_tokens))",
  embeddingCells: `toFloat64(uniqExactIf(
    arrayMap(row -> arraySum((value, place) -> if(bitCount(bitAnd(place, row)) % 2 = 0, value, -value),
      embedding, range(length(embedding))) > 0, ${HYPERPLANES}),
    notEmpty(embedding)))`,
};

/**
 * Who has drawn at least `limit` of the unit since `since_ms`, and when the oldest of it was drawn. The scope of an
 * account is found in `names` (account) and `scopes` (what it counts for), else it is `otherwise`: `account:` stands
 * for the account itself, an empty text for nobody. Parameters: since_ms, limit, names, scopes, otherwise.
 */
export function selectSpent(unit: MeasuredUnit): string {
  return `
SELECT scope, ${AMOUNTS[unit]} AS amount, toFloat64(toUnixTimestamp64Milli(min(time))) AS oldest_ms
FROM (
  SELECT *, transform(account, arrayPushBack({names:Array(String)}, ''), arrayPushBack({scopes:Array(String)}, ''), '') AS listed,
    multiIf(listed != '', listed, {otherwise:String} = 'account:', concat('account:', account), {otherwise:String}) AS scope
  FROM exchange_features
  WHERE served = 1 AND time >= fromUnixTimestamp64Milli(toInt64({since_ms:Float64}))
)
WHERE scope != ''
GROUP BY scope
HAVING amount >= {limit:Float64}
ORDER BY scope
LIMIT 100000`;
}
