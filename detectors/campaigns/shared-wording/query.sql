-- For every opening or closing that several accounts share: who used it, how often, and how much of that was never
-- asked a second time by anybody. An input counts as private when it occurs exactly once under the wording.
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
        HAVING count() >= {minAccounts:UInt32}
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
        HAVING uniq(account) >= {minAccounts:UInt32} AND uniq(input) >= {minPrivateShare:Float64} * count()
    )
SELECT
    toString(affix) AS affix,
    account,
    toUInt32(sum(uses)) AS uses,
    toUInt32(countIf(everybody = 1)) AS inputs,
    toUInt32(uniqExactIf(toStartOfHour(first), everybody = 1)) AS hours,
    toFloat64(toUnixTimestamp64Milli(minIf(first, everybody = 1))) AS sinceMs,
    toFloat64(toUnixTimestamp64Milli(maxIf(first, everybody = 1))) AS untilMs,
    arrayMap(x -> toFloat64(x), sumForEachIf(vector, everybody = 1)) AS sum,
    toFloat64(sumIf(arraySum(x -> x * x, vector), everybody = 1)) AS squares
FROM
(
    SELECT affix, account, input, uses, first, vector, sum(uses) OVER (PARTITION BY affix, input) AS everybody
    FROM
    (
        SELECT
            affix,
            account,
            input,
            count() AS uses,
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
