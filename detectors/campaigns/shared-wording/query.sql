-- For every opening or closing that several accounts share: who used it, how often, and how much of that it never came
-- back to. An input counts as private when the account asked it at one sitting: several samples of one input and retries
-- come within minutes and count as one asking. What several accounts asked counts for each by its share, so that the
-- sum over the accounts is the number of different inputs.
-- Three passes, each over less: wordings used often enough; those several accounts share with mostly different
-- inputs; and every use of these.
WITH
    frequent AS
    (
        SELECT affix
        FROM exchange_features
        ARRAY JOIN affixes AS affix
        WHERE served AND NOT continued
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY affix
        HAVING count() >= {minNullAccounts:UInt32}
    ),
    shared AS
    (
        SELECT affix
        FROM exchange_features
        ARRAY JOIN affixes AS affix
        WHERE served AND NOT continued
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
          AND affix IN frequent
        GROUP BY affix
        HAVING uniq(account) >= {minNullAccounts:UInt32}
           AND uniq(input, account) >= {minPrivateShare:Float64} * uniq(input, account, toStartOfHour(time))
           AND uniq(input) >= {minDistinctShare:Float64} * uniq(input, account)
    )
SELECT
    toString(affix) AS affix,
    account,
    toUInt32(sum(askings)) AS uses,
    toUInt32(countIf(private)) AS inputs,
    sumIf(1 / sharers, private) AS distinct,
    toUInt32(uniqExactIf(toStartOfHour(first), private)) AS hours,
    toFloat64(toUnixTimestamp64Milli(minIf(first, private))) AS sinceMs,
    toFloat64(toUnixTimestamp64Milli(maxIf(first, private))) AS untilMs,
    arrayMap(x -> toFloat64(x), sumForEachIf(vector, private)) AS sum,
    toFloat64(sumIf(arraySum(x -> x * x, vector), private)) AS squares
FROM
(
    SELECT
        affix,
        account,
        askings,
        first,
        vector,
        askings = 1 AS private,
        count() OVER (PARTITION BY affix, input) AS sharers
    FROM
    (
        SELECT
            affix,
            account,
            input,
            if(dateDiff('minute', min(time), max(time)) < {onceMinutes:UInt32}, 1, count()) AS askings,
            min(time) AS first,
            arrayMap(x -> toInt32(x), any(embedding)) AS vector
        FROM exchange_features
        ARRAY JOIN affixes AS affix
        WHERE served AND NOT continued
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
          AND affix IN shared
        GROUP BY affix, account, input
    )
)
GROUP BY affix, account
ORDER BY affix, account
