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

-- The ways to write Chinese characters in Latin letters, up to four, and the initials.
CREATE OR REPLACE FUNCTION crm_search_pinyin(run text) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    spelled text[] := ARRAY[''];
    initials text[] := ARRAY[''];
    choices text[];
BEGIN
    FOR place IN 1..length(run) LOOP
        SELECT CASE WHEN place = 1 THEN p.as_surname ELSE p.readings END INTO choices
        FROM crm_searchpinyin p WHERE p.letter = substr(run, place, 1);
        CONTINUE WHEN choices IS NULL;
        SELECT array_agg(one || choice) INTO spelled
        FROM (SELECT one, choice FROM unnest(spelled) one, unnest(choices) choice
              LIMIT 4) combined;
        SELECT array_agg(DISTINCT one || left(choice, 1)) INTO initials
        FROM (SELECT one, choice FROM unnest(initials) one, unnest(choices) choice
              LIMIT 4) combined;
    END LOOP;
    RETURN array_remove(spelled || CASE WHEN length(run) > 1 THEN initials END, '');
END $$;

-- Entries of one run of Chinese characters: pairs, the last one alone, pinyin of names.
CREATE OR REPLACE FUNCTION crm_search_chinese(code text, run text, is_name boolean)
RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    found text[] := ARRAY[code || ':' || right(run, 1)];
    size int := length(run);
    readings text[] := '{}';
    choices text[];
    has_choice boolean := false;
    spelled text := '';
    initials text := '';
BEGIN
    FOR place IN 1..size - 1 LOOP
        found := found || (code || ':' || substr(run, place, 2));
    END LOOP;
    IF NOT is_name THEN
        RETURN found;
    END IF;
    run := left(run, 12);
    FOR place IN 1..length(run) LOOP
        SELECT p.as_surname INTO choices
        FROM crm_searchpinyin p WHERE p.letter = substr(run, place, 1);
        CONTINUE WHEN choices IS NULL;
        readings := readings || choices[1];
        has_choice := has_choice OR array_length(choices, 1) > 1;
    END LOOP;
    IF has_choice THEN
        FOR place IN 1..length(run) LOOP
            found := found || (
                SELECT coalesce(array_agg(code || '~' || one), '{}')
                FROM unnest(crm_search_pinyin(substr(run, place))) one);
        END LOOP;
        RETURN found;
    END IF;
    FOR place IN REVERSE coalesce(array_length(readings, 1), 0)..1 LOOP
        spelled := readings[place] || spelled;
        initials := left(readings[place], 1) || initials;
        found := found || (code || '~' || spelled);
        IF length(initials) > 1 THEN
            found := found || (code || '~' || initials);
        END IF;
    END LOOP;
    RETURN found;
END $$;

CREATE OR REPLACE FUNCTION crm_search_words(code text, value text, is_name boolean)
RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    found text[];
    word text;
    plain text;
BEGIN
    value := left(value, 2000);
    IF is_name AND value ~ '[\u3400-\u9fff]\s+[\u3400-\u9fff]' THEN
        value := regexp_replace(
            value, '([\u3400-\u9fff])\s+(?=[\u3400-\u9fff])', '\1', 'g');
    END IF;
    plain := crm_search_plain(value);
    IF octet_length(plain) = length(plain) THEN
        found := string_to_array(
            code || ':' || replace(plain, ' ', ' ' || code || ':'), ' ');
        RETURN array_remove(found, code || ':');
    END IF;
    FOREACH word IN ARRAY string_to_array(plain, ' ') LOOP
        IF word ~ '^[\u3400-\u9fff]' THEN
            found := found || crm_search_chinese(code, left(word, 300), is_name);
        ELSIF word <> '' THEN
            found := found || (code || ':' || left(word, 60));
        END IF;
    END LOOP;
    RETURN found;
END $$;

-- A number, its parts from each sign on, and its last digits without leading zeros.
CREATE OR REPLACE FUNCTION crm_search_number(code text, value text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    part text := lower(left(trim(value), 60));
    found text[];
BEGIN
    WHILE part <> '' LOOP
        found := found || (code || '=' || part);
        part := substring(part FROM '[-_/. ]+(.+)$');
    END LOOP;
    part := substring(value FROM '[1-9][0-9]{0,29}$');
    RETURN found || (code || '=' || part);
END $$;

-- All that a row is found by.
CREATE OR REPLACE FUNCTION crm_search_tokens(
    code text, names text, texts text, mails text, phones text, numbers text
) RETURNS tsvector LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    found text[] := '{}';
    one text;
    part text;
BEGIN
    IF names <> '' THEN
        found := crm_search_words(code, names, true);
    END IF;
    IF texts <> '' THEN
        found := found || crm_search_words(code, texts, false);
    END IF;
    IF mails <> '' THEN
        FOREACH one IN ARRAY string_to_array(lower(left(mails, 400)), E'\n') LOOP
            part := substring(one FROM '[._+-]([^@]*@.*)$');
            found := found || ARRAY[
                code || '@' || one, code || '@' || part,
                code || '@' || nullif(split_part(one, '@', 2), '')];
        END LOOP;
    END IF;
    IF phones <> '' THEN
        FOREACH one IN ARRAY string_to_array(left(phones, 200), E'\n') LOOP
            one := translate(one, '+ -()./', '');
            IF one ~ '[^0-9]' THEN
                one := regexp_replace(normalize(one, NFKC), '[^0-9]', '', 'g');
            END IF;
            IF length(one) >= 4 THEN
                found := found || ARRAY[code || '+' || one, code || '#' || reverse(one)];
            END IF;
        END LOOP;
    END IF;
    IF numbers <> '' THEN
        FOREACH one IN ARRAY string_to_array(left(numbers, 400), E'\n') LOOP
            found := found || crm_search_number(code, one);
        END LOOP;
    END IF;
    RETURN array_to_tsvector(array_remove(array_remove(found, NULL), code || '@'));
END $$;

-- Ids of one kind's matches: all of them, or of a frequent text only the most recent.
-- The last column tells which; "most" + 1 rows mean that there are more, too.
CREATE OR REPLACE FUNCTION crm_search_find(wanted int, query tsquery, most int)
RETURNS TABLE (object_id bigint, recent timestamptz, is_all boolean)
LANGUAGE plpgsql STABLE
-- Guesses about how frequent a text is are bad; a sample of the latest rows decides.
SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    seen int;
    hits int;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE latest.tokens @@ query) INTO seen, hits
    FROM (
        SELECT tokens FROM crm_searchentry WHERE kind = wanted
        ORDER BY recent DESC LIMIT 300
    ) latest;
    IF seen < 300 OR hits >= 10 THEN
        RETURN QUERY
        SELECT latest.object_id, latest.recent, seen < 300
        FROM (
            SELECT * FROM crm_searchentry WHERE kind = wanted
            ORDER BY recent DESC LIMIT 300
        ) latest
        WHERE latest.tokens @@ query;
    ELSE
        RETURN QUERY
        SELECT entry.object_id, entry.recent, true FROM crm_searchentry entry
        WHERE entry.tokens @@ query LIMIT most + 1;
    END IF;
END $$;

-- How many matches there are, counted up to a limit.
CREATE OR REPLACE FUNCTION crm_search_count(query tsquery, most int) RETURNS bigint
LANGUAGE sql STABLE SET enable_seqscan = off AS $$
    SELECT count(*) FROM (
        SELECT FROM crm_searchentry WHERE tokens @@ query LIMIT most
    ) found
$$;
