-- For every account: the facts that could link it (means of payment, organisation, mail domain, addresses), and
-- whether it works through a list: a wording of its own under which almost nothing occurs twice, over many hours.
WITH
    frequent AS
    (
        SELECT account, affix
        FROM exchange_features
        ARRAY JOIN affixes AS affix
        WHERE served AND NOT continued
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account, affix
        HAVING count() >= {minInputs:UInt32}
    ),
    chosen AS
    (
        SELECT account, argMax(affix, (inputs, affix)) AS wording
        FROM
        (
            SELECT account, affix, uniq(input) AS inputs
            FROM exchange_features
            ARRAY JOIN affixes AS affix
            WHERE served AND NOT continued
              AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
              AND time < fromUnixTimestamp64Milli({nowMs:Int64})
              AND (account, affix) IN frequent
            GROUP BY account, affix
            HAVING inputs >= {minInputs:UInt32} AND inputs >= {minPrivateShare:Float64} * uniq(input, toStartOfHour(time))
        )
        GROUP BY account
    ),
    lists AS
    (
        SELECT
            account,
            any(wording) AS wording,
            count() AS inputs,
            uniqExact(toStartOfHour(first)) AS hours,
            min(first) AS since,
            sumForEach(vector) AS sum,
            sum(arraySum(x -> x * x, vector)) AS squares,
            groupArraySorted(2)(id) AS exemplars
        FROM
        (
            SELECT
                account,
                any(chosen.wording) AS wording,
                input,
                min(time) AS first,
                arrayMap(x -> toInt32(x), any(embedding)) AS vector,
                any(exchange) AS id
            FROM exchange_features
            INNER JOIN chosen USING (account)
            WHERE served AND NOT continued
              AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
              AND time < fromUnixTimestamp64Milli({nowMs:Int64})
              AND has(affixes, chosen.wording)
            GROUP BY account, input
        )
        GROUP BY account
    ),
    addresses AS
    (
        SELECT account, groupUniqArray({maxAddresses:UInt32})(ip) AS ips
        FROM exchange_features
        WHERE served AND ip != 0
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account
    ),
    known AS
    (
        SELECT account, payment, organization, domain
        FROM account_facts FINAL
    )
SELECT
    addresses.account AS account,
    toString(known.payment) AS payment,
    toString(known.organization) AS organization,
    toString(known.domain) AS domain,
    arrayMap(x -> toString(x), addresses.ips) AS ips,
    toString(lists.wording) AS wording,
    toUInt32(lists.inputs) AS inputs,
    toUInt32(lists.hours) AS hours,
    toFloat64(toUnixTimestamp64Milli(lists.since)) AS sinceMs,
    arrayMap(x -> toFloat64(x), lists.sum) AS sum,
    toFloat64(lists.squares) AS squares,
    lists.exemplars AS exemplars
FROM addresses
LEFT JOIN lists ON lists.account = addresses.account
LEFT JOIN known ON known.account = addresses.account
ORDER BY account
