-- What the triggers of the history share: see docs/history.md. Installed by migration.

-- The operation under which the session writes; its row is made with its first change.
CREATE OR REPLACE FUNCTION crm_current_operation() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    acting text := current_setting('crm.acting', true);
    content jsonb;
    found_id bigint;
BEGIN
    IF coalesce(acting, '') = '' THEN
        -- Nobody said who acts: one operation for the rest of the transaction.
        acting := jsonb_build_object('number', gen_random_uuid(), 'kind', 'database')::text;
        PERFORM set_config('crm.acting', acting, true);
    END IF;
    content := acting::jsonb;
    SELECT id INTO found_id FROM crm_operation
    WHERE number = (content ->> 'number')::uuid;
    IF found_id IS NULL THEN
        INSERT INTO crm_operation (number, at, kind, actor_id, title)
        VALUES (
            (content ->> 'number')::uuid, now(), content ->> 'kind',
            (content ->> 'actor')::bigint, coalesce(content ->> 'title', '')
        )
        RETURNING id INTO found_id;
    END IF;
    RETURN found_id;
END $$;

-- The log is only added to, by whomever.
CREATE OR REPLACE FUNCTION crm_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The history cannot be changed.'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE OR REPLACE TRIGGER crm_change_is_kept BEFORE UPDATE OR DELETE ON crm_change
    FOR EACH STATEMENT EXECUTE FUNCTION crm_change_is_kept();
CREATE OR REPLACE TRIGGER crm_operation_is_kept BEFORE DELETE ON crm_operation
    FOR EACH STATEMENT EXECUTE FUNCTION crm_change_is_kept();
