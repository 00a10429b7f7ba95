-- For every account: the facts that could link it (means of payment, organisation, mail domain, addresses), and
-- whether it works through a list: a wording of its own under which almost nothing occurs twice, over many hours.
WITH
    recent AS
    (
        SELECT account, affixes, input, time, ip, embedding, exchange
        FROM exchange_features
        WHERE served AND NOT continued
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    ),
    wordings AS
    (
        SELECT account, affix
        FROM recent
        ARRAY JOIN affixes AS affix
        GROUP BY account, affix
        HAVING uniq(input) >= {minInputs:UInt32} AND uniq(input) >= {minPrivateShare:Float64} * count()
    ),
    chosen AS
    (
        SELECT account, argMax(affix, (inputs, affix)) AS affix
        FROM
        (
            SELECT account, affix, uniqExact(input) AS inputs
            FROM recent
            ARRAY JOIN affixes AS affix
            WHERE (account, affix) IN (SELECT account, affix FROM wordings)
            GROUP BY account, affix
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
            sumForEach(arrayMap(x -> toInt32(x), vector)) AS sum,
            sum(arraySum(x -> toInt32(x) * x, vector)) AS squares,
            groupArraySorted(2)(id) AS exemplars
        FROM
        (
            SELECT account, any(chosen.affix) AS wording, input, min(time) AS first, any(embedding) AS vector, any(exchange) AS id
            FROM recent
            INNER JOIN chosen USING (account)
            WHERE has(affixes, chosen.affix)
            GROUP BY account, input
        )
        GROUP BY account
    ),
    addresses AS
    (
        SELECT account, groupUniqArray({maxAddresses:UInt32})(ip) AS ips
        FROM recent
        WHERE ip != 0
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
