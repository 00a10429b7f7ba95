-- For every account that asked for the missing part of many passages: which passages, when, and under which wordings.
-- A passage is the surroundings of its blank, or a key of a text that breaks off under a request to continue it, or
-- that breaks off at the length of all others without any request. What breaks off at the words of many others is a template.
WITH
    asked AS
    (
        SELECT
            account,
            input,
            min(time) AS first,
            max(time) AS last,
            any(exchange) AS exemplar,
            any(blanks) AS gaps,
            any(affixes) AS ends,
            any(near) AS keys,
            any(system) AS instructions,
            toFloat64(any(asked_words)) AS words,
            toFloat64(any(prompt_chars)) AS chars,
            bitAnd(any(recall), {cutBit:UInt8}) > 0 AS open,
            bitAnd(any(recall), {cueBit:UInt8}) > 0 AS cue,
            any(ending) AS tail,
            count() AS exchanges,
            sum(completion_tokens) / sum(greatest(choices, 1)) AS answerTokens
        FROM exchange_features
        WHERE served AND NOT continued AND (notEmpty(blanks) OR recall > 0)
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account, input
    ),
    -- Passages break off anywhere, a template always at the same words.
    ended AS
    (
        SELECT
            *,
            open AND count() OVER (PARTITION BY account, tail)
                <= greatest(2, {maxEndingShare:Float64} * countIf(open) OVER (PARTITION BY account)) AS cut
        FROM asked
    ),
    shaped AS
    (
        SELECT
            *,
            sum(cue AND cut) OVER own >= {minCutShare:Float64} * sum(cue) OVER own AS continues,
            if(cut AND instructions = 0, words, NULL) AS rawWords,
            if(cut AND instructions = 0, chars, NULL) AS rawChars,
            least(
                stddevPop(rawWords) OVER own / avg(rawWords) OVER own,
                stddevPop(rawChars) OVER own / avg(rawChars) OVER own
            ) <= {maxLengthSpread:Float64} AS measured
        FROM ended
        WINDOW own AS (PARTITION BY account)
    ),
    -- A text's key: of its six, the third rarest of the account. The rarest ones differ between versions of one text,
    -- the commonest ones are those of a template.
    keyed AS
    (
        SELECT account, input, arraySort(groupArray((uses, key)))[3].2 AS text
        FROM
        (
            SELECT account, input, key, count() OVER (PARTITION BY account, key) AS uses
            FROM shaped
            ARRAY JOIN keys AS key
            WHERE cut AND ((cue AND continues) OR (instructions = 0 AND measured))
        )
        GROUP BY account, input
    ),
    probes AS
    (
        SELECT *, arrayConcat(gaps, if(text > 0, [toUInt64(text)], [])) AS passages
        FROM shaped
        LEFT JOIN keyed USING (account, input)
        WHERE notEmpty(passages) AND answerTokens <= {maxAnswerTokens:Float64}
    )
SELECT
    account,
    groupUniqArrayArray({maxPassages:UInt32})(passages) AS found,
    toUInt32(count()) AS inputs,
    toUInt32(countIf(dateDiff('minute', first, last) < {onceMinutes:UInt32})) AS once,
    toUInt32(sum(exchanges)) AS queries,
    arrayMap(hour -> toUInt32(toUnixTimestamp(hour) / 3600), groupUniqArray(toStartOfHour(first))) AS hours,
    arrayMap(affix -> toString(affix), topKArray(8)(ends)) AS wordings,
    arrayMap(passage -> toString(passage), found) AS ids,
    toFloat64(toUnixTimestamp64Milli(min(first))) AS sinceMs,
    arraySort(groupArraySorted(3)(exemplar)) AS exemplars
FROM probes
GROUP BY account
HAVING length(found) >= {minOwnPassages:UInt32}
ORDER BY account
