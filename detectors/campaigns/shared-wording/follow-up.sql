-- Who uses the wordings that the counts made suspect, and how often; and of a part of the users (`users`, by the hashes
-- of their names; none: all of them, without vectors) what they asked under them: sums of vectors of private inputs.
-- A wording is a part of its input, so that any of an input's exchanges tells its wordings.
WITH asked AS
(
    SELECT
        account,
        input,
        if(dateDiff('minute', min(time), max(time)) < {onceMinutes:UInt32}, 1, count()) AS askings,
        min(time) AS first,
        any(affixes) AS wordings,
        any(if(empty({users:Array(UInt32)}), [], embedding)) AS vector
    FROM exchange_features
    WHERE served AND NOT continued
      AND (empty({users:Array(UInt32)}) OR toUInt32(cityHash64(account)) IN {users:Array(UInt32)})
      AND arrayExists(affix -> affix IN {affixes:Array(UInt64)}, affixes)
      AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
      AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    GROUP BY account, input
)
SELECT
    toString(wording) AS affix,
    account,
    toUInt32(cityHash64(account)) AS user,
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
