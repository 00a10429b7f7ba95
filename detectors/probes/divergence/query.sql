-- For every account: how many different inputs made the model say one word over and over, among how many answers.
SELECT
    account,
    toUInt32(count()) AS answers,
    toUInt32(uniqExactIf(input, answered_run >= {minRun:UInt16})) AS inputs,
    toUInt32(countIf(answered_run >= {minRun:UInt16})) AS probes,
    toFloat64(sumIf(completion_tokens, answered_run >= {minRun:UInt16})) AS tokens,
    toUInt32(max(answered_run)) AS longest,
    toFloat64(toUnixTimestamp64Milli(minIf(time, answered_run >= {minRun:UInt16}))) AS sinceMs,
    groupArraySortedIf(3)(exchange, answered_run >= {minRun:UInt16}) AS exemplars
FROM exchange_features
WHERE served
  AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
  AND time < fromUnixTimestamp64Milli({nowMs:Int64})
GROUP BY account
ORDER BY account
