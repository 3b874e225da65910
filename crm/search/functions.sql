-- What the search table is made of: see docs/search.md. Installed by migration.

-- Small letters without accents, every sign a space; "O'Brien" is one word.
CREATE OR REPLACE FUNCTION crm_search_plain(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    value := replace(value, '''', '');
    IF octet_length(value) <> length(value) THEN
        value := unaccent('unaccent'::regdictionary, lower(normalize(value, NFKC)));
        value := translate(value, '‘’''', '');
        value := translate(value, '，。、；：？！（）【】《》“”…—–·•・「」『』〈〉´',
                           '                           ');
        value := regexp_replace(value, '([\u3400-\u9fff]+)', ' \1 ', 'g');
    ELSIF value !~ '[^A-Za-z0-9 ]' THEN
        -- Most names; the signs below cost more than all the rest.
        RETURN lower(value);
    END IF;
    RETURN translate(
        lower(value),
        E' \t\n\r\f\v.,;:/\\()[]{}<>|"!?&@#%$*+=~^_-`\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f',
        '                                                '
    );
END $$;

-- Earlier versions of what follows.
DROP FUNCTION IF EXISTS crm_search_pinyin(text), crm_search_chinese(text, text, boolean);

-- Tokens of one run of Chinese characters, a line each: pairs, the last one alone and, of
-- names, pinyin and its initials from each character on. From the last to the first,
-- so that each way to write what follows is put together once; up to four ways.
CREATE FUNCTION crm_search_chinese(code text, run text, is_name boolean) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    found text := code || ':' || right(run, 1);
    letter record;
    spelled text[] := ARRAY[''];
    initials text[] := ARRAY[''];
BEGIN
    FOR place IN 1..length(run) - 1 LOOP
        found := found || E'\n' || code || ':' || substr(run, place, 2);
    END LOOP;
    IF NOT is_name THEN
        RETURN found;
    END IF;
    FOR letter IN
        -- OFFSET 0: looked up letter by letter, the table is never read whole.
        SELECT known.as_surname, known.readings
        FROM generate_series(least(length(run), 12), 1, -1) place, LATERAL (
            SELECT * FROM crm_searchpinyin p
            WHERE p.letter = substr(run, place, 1) OFFSET 0) known
    LOOP
        IF cardinality(letter.as_surname) = 1 AND cardinality(spelled) = 1 THEN
            spelled[1] := letter.as_surname[1] || spelled[1];
            found := found || E'\n' || code || '~' || spelled[1];
            IF initials[1] <> '' THEN
                found := found || E'\n' || code || '~'
                    || left(letter.as_surname[1], 1) || initials[1];
            END IF;
            initials[1] := left(letter.as_surname[1], 1) || initials[1];
            CONTINUE;
        END IF;
        SELECT found || E'\n' || string_agg(code || '~' || one || rest, E'\n') INTO found
        FROM (SELECT one, rest FROM unnest(letter.as_surname) one, unnest(spelled) rest
              LIMIT 4) ways;
        SELECT concat_ws(E'\n', found, string_agg(code || '~' || left(one, 1) || rest, E'\n'))
        INTO found
        FROM (SELECT one, rest FROM unnest(letter.as_surname) one, unnest(initials) rest
              WHERE rest <> '' LIMIT 4) ways;
        SELECT array_agg(one || rest) INTO spelled
        FROM (SELECT one, rest FROM unnest(letter.readings) one, unnest(spelled) rest
              LIMIT 4) ways;
        SELECT array_agg(DISTINCT left(one, 1) || rest) INTO initials
        FROM (SELECT one, rest FROM unnest(letter.readings) one, unnest(initials) rest
              LIMIT 4) ways;
    END LOOP;
    RETURN found;
END $$;

-- Tokens are lines of one text, which costs less than an array that grows. A function
-- that is one expression becomes a part of the one that calls it.
DROP FUNCTION IF EXISTS crm_search_words(text, text, boolean), crm_search_number(text, text);

-- Words of a text that has more than letters and digits.
CREATE OR REPLACE FUNCTION crm_search_signs(code text, value text, is_name boolean) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    found text := '';
    word text;
BEGIN
    IF is_name AND value ~ '[\u3400-\u9fff]\s+[\u3400-\u9fff]' THEN
        value := regexp_replace(
            value, '([\u3400-\u9fff])\s+(?=[\u3400-\u9fff])', '\1', 'g');
    END IF;
    value := crm_search_plain(value);
    IF octet_length(value) = length(value) THEN
        RETURN code || ':' || replace(value, ' ', E'\n' || code || ':');
    END IF;
    FOREACH word IN ARRAY string_to_array(value, ' ') LOOP
        IF word ~ '^[\u3400-\u9fff]' THEN
            found := found || E'\n' || crm_search_chinese(code, left(word, 300), is_name);
        ELSE
            found := found || E'\n' || code || ':' || left(word, 60);
        END IF;
    END LOOP;
    RETURN found;
END $$;

-- Words of a text; most names have nothing else.
CREATE FUNCTION crm_search_words(code text, value text, is_name boolean) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE RETURN
    CASE WHEN value ~ '[^A-Za-z0-9 ]'
        THEN crm_search_signs(code, left(value, 2000), is_name)
        ELSE code || ':' || replace(lower(left(value, 2000)), ' ', E'\n' || code || ':')
    END;

-- A mail, the part from the first sign before an @ on, and the domain.
CREATE OR REPLACE FUNCTION crm_search_mail(code text, value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    code || '@' || value || E'\n' || code || '@' || split_part(value, '@', 2)
    || CASE WHEN value ~ '[._+-][^@]*@'
        THEN E'\n' || code || '@' || substring(value FROM '[._+-]([^@]*@.*)$')
        ELSE '' END;

-- A number and its parts from each sign on.
CREATE OR REPLACE FUNCTION crm_search_number_parts(code text, part text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    found text := '';
BEGIN
    WHILE part <> '' LOOP
        found := found || E'\n' || code || '=' || part;
        part := substring(part FROM '[-_/. ]+(.+)$');
    END LOOP;
    RETURN found;
END $$;

-- A number, its parts, and its last digits without leading zeros.
CREATE FUNCTION crm_search_number(code text, value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN value ~ '[-_/. ]'
        THEN crm_search_number_parts(code, lower(left(trim(value), 60)))
        ELSE code || '=' || lower(left(value, 60)) END
    || E'\n' || code || '='
    || ltrim(right(substr(value, 1 + length(rtrim(value, '0123456789'))), 30), '0');

-- All that a row is found by.
CREATE OR REPLACE FUNCTION crm_search_tokens(
    code text, names text, texts text, mails text, phones text, numbers text
) RETURNS tsvector LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    found text := '';
    one text;
BEGIN
    IF names <> '' THEN
        found := crm_search_words(code, names, true);
    END IF;
    IF texts <> '' THEN
        found := found || E'\n' || crm_search_words(code, texts, false);
    END IF;
    IF mails <> '' THEN
        FOREACH one IN ARRAY string_to_array(lower(left(mails, 400)), E'\n') LOOP
            found := found || E'\n' || crm_search_mail(code, one);
        END LOOP;
    END IF;
    IF phones <> '' THEN
        FOREACH one IN ARRAY string_to_array(left(phones, 200), E'\n') LOOP
            one := replace(replace(one, '+', ''), ' ', '');
            IF one ~ '[^0-9]' THEN
                one := regexp_replace(normalize(one, NFKC), '[^0-9]', '', 'g');
            END IF;
            IF length(one) >= 4 THEN
                found := found || E'\n' || code || '+' || one
                    || E'\n' || code || '#' || reverse(one);
            END IF;
        END LOOP;
    END IF;
    IF numbers <> '' THEN
        FOREACH one IN ARRAY string_to_array(left(numbers, 400), E'\n') LOOP
            found := found || E'\n' || crm_search_number(code, one);
        END LOOP;
    END IF;
    RETURN array_to_tsvector(array_remove(array_remove(array_remove(array_remove(
        string_to_array(found, E'\n'), ''), code || ':'), code || '@'), code || '='));
END $$;

DROP FUNCTION IF EXISTS crm_search_find(int, tsquery, int);
DROP FUNCTION IF EXISTS crm_search_find(int, tsquery, int, bigint[]);

-- One kind's matches: all of them, or of a frequent text only the most recent. "is_all"
-- tells which; "most" + 1 ids mean that there are more, too. With "owners" all are those
-- of these people; the most recent ones are everybody's. "head" are so many of them
-- in order, the newest first or by their places: to sort thousands takes a third of the
-- time. A text that is "rare" need not be looked for among the latest rows.
CREATE OR REPLACE FUNCTION crm_search_find(
    wanted int, query tsquery, most int, owners bigint[], size int, newest boolean,
    rare boolean, OUT ids text, OUT number bigint, OUT is_all boolean, OUT head text
) LANGUAGE plpgsql STABLE
-- Guesses about how frequent a text is are bad; a sample of the latest rows decides. To
-- plan anew for each text would cost more than to find it.
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    seen int := 300;
    hits int := 0;
BEGIN
    IF NOT rare THEN
        SELECT count(*), count(*) FILTER (WHERE latest.tokens @@ query) INTO seen, hits
        FROM (
            SELECT tokens FROM crm_searchentry WHERE kind = wanted
            ORDER BY recent DESC LIMIT 300
        ) latest;
    END IF;
    IF seen < 300 OR hits >= 10 THEN
        WITH found AS MATERIALIZED (
            SELECT latest.* FROM (
                SELECT * FROM crm_searchentry WHERE kind = wanted
                ORDER BY recent DESC LIMIT 300
            ) latest
            WHERE latest.tokens @@ query
                AND (seen = 300 OR owners IS NULL OR latest.owner_id = ANY (owners))
        )
        SELECT array_agg(object_id)::text, count(*), seen < 300, (
            SELECT array_agg(object_id)::text FROM (
                SELECT object_id FROM found ORDER BY
                    CASE WHEN newest THEN recent END DESC,
                    CASE WHEN newest THEN -object_id END,
                    place, object_id
                LIMIT size
            ) sorted
        ) INTO ids, number, is_all, head FROM found;
    ELSIF newest THEN
        WITH found AS MATERIALIZED (
            SELECT object_id, recent FROM crm_searchentry
            WHERE tokens @@ query AND (owners IS NULL OR owner_id = ANY (owners))
            LIMIT most + 1
        )
        SELECT array_agg(object_id)::text, count(*), count(*) <= most, (
            SELECT array_agg(object_id)::text FROM (
                SELECT object_id FROM found
                ORDER BY recent DESC, object_id DESC LIMIT size
            ) sorted
        ) INTO ids, number, is_all, head FROM found;
    ELSE
        WITH found AS MATERIALIZED (
            SELECT object_id, place FROM crm_searchentry
            WHERE tokens @@ query AND (owners IS NULL OR owner_id = ANY (owners))
            LIMIT most + 1
        )
        SELECT array_agg(object_id)::text, count(*), count(*) <= most, (
            SELECT array_agg(object_id)::text FROM (
                SELECT object_id FROM found ORDER BY place, object_id LIMIT size
            ) sorted
        ) INTO ids, number, is_all, head FROM found;
    END IF;
END $$;

-- How many matches there are, counted up to a limit.
CREATE OR REPLACE FUNCTION crm_search_count(query tsquery, most int) RETURNS bigint
LANGUAGE sql STABLE SET enable_seqscan = off AS $$
    SELECT count(*) FROM (
        SELECT FROM crm_searchentry WHERE tokens @@ query LIMIT most
    ) found
$$;
