-- For every account that works through a list (inputs asked once, hardly a follow-up, over several hours): what it
-- asks and how, as sums, and when it began. Samples and retries of one input within some minutes count as one asking.
WITH
    asked AS
    (
        SELECT
            account,
            input,
            min(time) AS first,
            max(time) AS last,
            arrayMap(x -> toInt32(x), any(embedding)) AS vector,
            log(1 + any(prompt_chars)) AS length,
            avg(completion_tokens) AS tokens,
            any(exchange) AS id
        FROM exchange_features
        WHERE served AND NOT continued
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account, input
    ),
    working AS
    (
        SELECT
            account,
            count() AS exchanges,
            countIf(continued) AS followUps,
            uniqExact(toStartOfHour(time)) AS hours,
            min(time) AS since
        FROM exchange_features
        WHERE served
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account
        HAVING exchanges >= {minInputs:UInt32} AND hours >= {minHours:UInt32}
           AND followUps <= {maxFollowUpShare:Float64} * exchanges
    ),
    lists AS
    (
        SELECT
            account,
            count() AS inputs,
            avg(length) AS askedMean,
            stddevPop(length) AS askedSpread,
            avg(log(1 + tokens)) AS answeredMean,
            stddevPop(log(1 + tokens)) AS answeredSpread,
            sumForEach(vector) AS sum,
            sum(arraySum(x -> x * x, vector)) AS squares,
            sum(tokens) AS answered,
            groupArraySorted(2)(id) AS exemplars,
            countIf(dateDiff('minute', first, last) < {onceMinutes:UInt32}) AS once
        FROM asked
        WHERE account IN (SELECT account FROM working)
        GROUP BY account
        HAVING inputs >= {minInputs:UInt32} AND once >= {minOnceShare:Float64} * inputs
    ),
    known AS
    (
        SELECT account, organization
        FROM account_facts FINAL
    )
SELECT
    lists.account AS account,
    toString(known.organization) AS organization,
    toUInt32(lists.inputs) AS inputs,
    toUInt32(working.hours) AS hours,
    toFloat64(toUnixTimestamp64Milli(working.since)) AS sinceMs,
    toFloat64(lists.askedMean) AS askedMean,
    toFloat64(lists.askedSpread) AS askedSpread,
    toFloat64(lists.answeredMean) AS answeredMean,
    toFloat64(lists.answeredSpread) AS answeredSpread,
    arrayMap(x -> toFloat64(x), lists.sum) AS sum,
    toFloat64(lists.squares) AS squares,
    toFloat64(lists.answered) AS tokens,
    lists.exemplars AS exemplars
FROM lists
INNER JOIN working ON working.account = lists.account
LEFT JOIN known ON known.account = lists.account
ORDER BY account
