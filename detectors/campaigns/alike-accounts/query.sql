-- For every account that works through a list (inputs asked once, hardly a follow-up, over several hours): what it
-- asks and how, as sums, when it began, and the system prompts and sets of tools that it uses. Samples and retries of
-- one input within some minutes count as one asking. Only two times are kept for an input, so that millions of them fit;
-- vectors are summed by account. Each part goes over all accounts once and they are joined at the end: a part that asked
-- another for its accounts would run it again. An account's inputs go by one hash of both.
WITH
    working AS
    (
        SELECT
            account,
            count() AS exchanges,
            countIf(continued) AS followUps,
            uniqExact(toStartOfHour(time)) AS hours,
            dateDiff('hour', min(time), max(time)) + 1 AS span, -- hours begun
            uniqExact(toDate(time)) AS days,
            min(time) AS since,
            max(time) AS until,
            arraySort(arrayConcat(
                groupArrayIf(system, NOT continued AND system != 0),
                groupArrayIf(toolset, NOT continued AND toolset != 0 AND toolset != system)
            )) AS marks
        FROM exchange_features
        WHERE served
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account
        HAVING exchanges >= {minInputs:UInt32} AND hours >= {minHours:UInt32}
           AND (hours < span OR span >= {wholeRunHours:UInt32} OR exchanges < {runRate:UInt32} * hours)
           AND followUps <= {maxFollowUpShare:Float64} * exchanges
    ),
    lists AS
    (
        SELECT
            user,
            count() AS inputs,
            countIf(dateDiff('minute', first, last) < {onceMinutes:UInt32}) AS once,
            groupArraySorted({maxSampled:UInt32})(asked) AS sample
        FROM
        (
            SELECT
                any(cityHash64(account)) AS user,
                any(toUInt32(bitShiftRight(cityHash64(input), 32))) AS asked,
                min(time) AS first,
                max(time) AS last
            FROM exchange_features
            WHERE served AND NOT continued
              AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
              AND time < fromUnixTimestamp64Milli({nowMs:Int64})
            GROUP BY cityHash64(account, input)
        )
        GROUP BY user
        HAVING inputs >= {minInputs:UInt32} AND once >= {minOnceShare:Float64} * inputs
    ),
    shapes AS
    (
        SELECT
            account,
            count() AS texts,
            avg(log(1 + prompt_chars)) AS askedMean,
            stddevPop(log(1 + prompt_chars)) AS askedSpread,
            avg(log(1 + completion_tokens)) AS answeredMean,
            stddevPop(log(1 + completion_tokens)) AS answeredSpread,
            sumForEach(embedding) AS sum,
            sum(dotProduct(embedding, embedding)) AS squares,
            sum(completion_tokens) AS answered,
            groupArraySorted(2)(exchange) AS exemplars
        FROM exchange_features
        WHERE served AND NOT continued
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account
    ),
    known AS
    (
        SELECT account, organization
        FROM account_facts FINAL
    )
SELECT
    working.account AS account,
    toString(known.organization) AS organization,
    -- In order, one that stands at both ends of `minInputs` places is used so often.
    arrayMap(mark -> toString(mark), arrayDistinct(arrayFilter(
        (mark, later) -> mark = later,
        arraySlice(working.marks, 1, greatest(0, toInt64(length(working.marks)) - toInt64({minInputs:UInt32}) + 1)),
        arraySlice(working.marks, {minInputs:UInt32})
    ))) AS marks,
    toUInt32(lists.inputs) AS inputs,
    lists.sample AS sample,
    toUInt32(shapes.texts) AS texts,
    toUInt32(working.hours) AS hours,
    toUInt32(working.days) AS days,
    toFloat64(toUnixTimestamp64Milli(working.since)) AS sinceMs,
    toFloat64(toUnixTimestamp64Milli(working.until)) AS untilMs,
    toFloat64(shapes.askedMean) AS askedMean,
    toFloat64(shapes.askedSpread) AS askedSpread,
    toFloat64(shapes.answeredMean) AS answeredMean,
    toFloat64(shapes.answeredSpread) AS answeredSpread,
    arrayMap(x -> toFloat64(x), shapes.sum) AS sum,
    toFloat64(shapes.squares) AS squares,
    toFloat64(shapes.answered) AS tokens,
    shapes.exemplars AS exemplars
FROM working
INNER JOIN lists ON lists.user = cityHash64(working.account)
INNER JOIN shapes ON shapes.account = working.account
LEFT JOIN known ON known.account = working.account
ORDER BY account
SETTINGS optimize_aggregation_in_order = 1
