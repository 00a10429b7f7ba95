-- Who uses the wordings that the counts made suspect, how often, and what it asked under them: sums of vectors of its
-- private inputs. A wording is a part of its input, so that any of an input's exchanges tells its wordings.
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
    WHERE served AND NOT continued AND arrayExists(affix -> affix IN {affixes:Array(UInt64)}, affixes)
      AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
      AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    GROUP BY account, input
)
SELECT
    toString(wording) AS affix,
    account,
    toUInt32(sum(askings)) AS uses,
    toUInt32(countIf(askings = 1)) AS inputs,
    toUInt32(uniqExactIf(toStartOfHour(first), askings = 1)) AS hours,
    toFloat64(toUnixTimestamp64Milli(minIf(first, askings = 1))) AS sinceMs,
    arrayMap(x -> toFloat64(x), sumWithOverflowForEachIf(arrayMap(x -> toInt32(x), vector), askings = 1)) AS sum,
    toFloat64(sumIf(arraySum(x -> toInt32(x) * toInt32(x), vector), askings = 1)) AS squares
FROM asked
ARRAY JOIN wordings AS wording
WHERE wording IN {affixes:Array(UInt64)}
GROUP BY wording, account
ORDER BY affix, account
