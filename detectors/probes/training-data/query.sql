-- For every account and every template (an end of the message, or the system prompt) under which it had training tasks made
-- up: which inputs, and when.
WITH
    asked AS
    (
        SELECT
            account,
            input,
            min(time) AS first,
            max(time) AS last,
            any(exchange) AS exemplar,
            any(affixes) AS ends,
            any(system) AS instructions,
            count() AS exchanges,
            sum(completion_tokens) AS answered
        FROM exchange_features
        WHERE served AND NOT continued AND bitAnd(capabilities, {trainingTasksBit:UInt16}) > 0
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account, input
    )
SELECT
    account,
    [toString(template)] AS wordings,
    arrayMap(id -> toString(id), arraySort(groupUniqArray({maxInputs:UInt32})(input))) AS ids,
    toUInt32(countIf(dateDiff('minute', first, last) < {onceMinutes:UInt32})) AS once,
    toUInt32(sum(exchanges)) AS queries,
    toFloat64(sum(answered)) AS tokens,
    arraySort(arrayMap(hour -> toUInt32(toUnixTimestamp(hour) / 3600), groupUniqArray(toStartOfHour(first)))) AS hours,
    toUInt32(uniqExact(toDate(first, 'UTC'))) AS days,
    toFloat64(toUnixTimestamp64Milli(min(first))) AS sinceMs,
    arraySort(groupArraySorted(3)(exemplar)) AS exemplars
FROM asked
ARRAY JOIN arrayDistinct(if(instructions = 0, ends, arrayPushBack(ends, instructions))) AS template
GROUP BY account, template
HAVING count() >= {minOwnInputs:UInt32}
ORDER BY account, template
