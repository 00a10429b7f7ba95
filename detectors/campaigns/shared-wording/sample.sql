-- A part of the users (by the hashes of their names) of the wordings that the counts made suspect: how often each sent
-- one, and what it asked under it, as sums of vectors of its private inputs. A wording is a part of its input, so that
-- any of an input's exchanges tells its wordings.
WITH asked AS
(
    SELECT
        account,
        input,
        if(dateDiff('minute', min(time), max(time)) < {onceMinutes:UInt32}, 1, count()) AS askings,
        min(time) AS first,
        any(affixes) AS wordings,
        any(embedding) AS vector
    FROM exchange_features
    WHERE served AND NOT continued
      AND toUInt32(cityHash64(account)) IN {users:Array(UInt32)}
      AND arrayExists(affix -> affix IN {affixes:Array(UInt64)}, affixes)
      AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
      AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    GROUP BY account, input
)
SELECT
    toString(wording) AS affix,
    toUInt32(cityHash64(account)) AS user,
    toUInt32(sum(askings)) AS uses,
    toUInt32(countIf(askings = 1)) AS inputs,
    toFloat64(toUnixTimestamp64Milli(minIf(first, askings = 1))) AS sinceMs,
    arrayMap(x -> toFloat64(x), sumWithOverflowForEachIf(arrayMap(x -> toInt32(x), vector), askings = 1)) AS sum,
    toFloat64(sumIf(arraySum(x -> toInt32(x) * toInt32(x), vector), askings = 1)) AS squares
FROM asked
ARRAY JOIN wordings AS wording
WHERE wording IN {affixes:Array(UInt64)}
GROUP BY wording, account
ORDER BY affix, user
SETTINGS optimize_aggregation_in_order = 1
