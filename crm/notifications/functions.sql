-- What the triggers of notifications share: see docs/notifications.md. Installed by migration.

-- Who acts, under which number; and whether it is work that people are told of:
-- not what is done by hand in the database or by a command.
CREATE OR REPLACE FUNCTION crm_acting_now(
    OUT person bigint, OUT number uuid, OUT kind text, OUT tells boolean
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    acting text := current_setting('crm.acting', true);
    content jsonb;
BEGIN
    tells := false;
    IF coalesce(acting, '') <> '' THEN
        content := acting::jsonb;
        person := (content ->> 'actor')::bigint;
        number := (content ->> 'number')::uuid;
        kind := content ->> 'kind';
        tells := kind NOT IN ('command', 'database');
    END IF;
END $$;

-- The end of a job becomes a notice in the transaction that ends it. Who started a
-- quick one is still looking at its page.
CREATE OR REPLACE FUNCTION crm_job_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO crm_notice (kind, model, rows, recipient_id)
    VALUES (
        'job', 'crm.job', int8multirange(int8range(NEW.id, NEW.id, '[]')), NEW.owner_id
    );
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER crm_job_ended AFTER UPDATE OF state ON crm_job
    FOR EACH ROW WHEN (
        OLD.state = 'running' AND NEW.owner_id IS NOT NULL
        AND (
            NEW.state = 'failed'
            OR NEW.state = 'done'
            AND NEW.finished_at - NEW.started_at > interval '10 seconds'
        )
    ) EXECUTE FUNCTION crm_job_ended();
