-- Tasks, concepts and the monthly quota
-- depends:

-- migrate: apply

-- One image and where it came from. A deleted concept stays as a bare node, so that the tree of its
-- descendants keeps its shape; its image, words and report are gone.
CREATE TABLE concept (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    parent_id uuid REFERENCES concept,
    root_id uuid NOT NULL REFERENCES concept,
    task_id uuid,
    image_key text UNIQUE,
    content_type text NOT NULL,
    width integer NOT NULL CHECK (width > 0),
    height integer NOT NULL CHECK (height > 0),
    refinement_prompt text,
    logo_description text,
    theme_description text,
    engine text,
    report jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT root_is_itself_or_has_parent CHECK ((parent_id IS NULL) = (root_id = id)),
    CONSTRAINT deleted_has_no_image CHECK ((deleted_at IS NULL) = (image_key IS NOT NULL))
);
CREATE INDEX concept_of_user ON concept (user_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;
CREATE INDEX concept_of_tree ON concept (root_id, created_at);
CREATE INDEX concept_of_task ON concept (task_id) WHERE task_id IS NOT NULL;

CREATE TABLE quota (
    user_id uuid NOT NULL,
    month date NOT NULL,
    used integer NOT NULL CHECK (used >= 0),
    PRIMARY KEY (user_id, month)
);

-- publish_at is the outbox mark: when this pending row is to be announced to the queue (again).
-- released counts the attempts that a stopping worker gave back; they are not held against the task.
-- charged_month is the month that paid for it; null once the charge has been given back.
CREATE TABLE task (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    concept_id uuid REFERENCES concept,
    source_url text NOT NULL,
    prompt text NOT NULL,
    logo_description text,
    theme_description text,
    preserve_aspects text[] NOT NULL DEFAULT '{}',
    request_id text NOT NULL,
    idempotency_key text,
    request_hash bytea,
    charged_month date,
    attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    released integer NOT NULL DEFAULT 0 CHECK (released BETWEEN 0 AND attempt),
    run_at timestamptz NOT NULL DEFAULT now(),
    publish_at timestamptz NOT NULL DEFAULT now() + interval '2 seconds',
    publish_count integer NOT NULL DEFAULT 0,
    lease_until timestamptz,
    engine_note jsonb,
    stage text,
    progress real NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    result_id uuid REFERENCES concept,
    report jsonb,
    error_code text CHECK (error_code IN (
        'canceled', 'timed_out', 'source_unavailable', 'source_invalid', 'source_too_large',
        'content_rejected', 'nothing_to_apply', 'engine_unavailable', 'engine_failed',
        'internal_error')),
    error_message text,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz,
    completed_at timestamptz,
    CONSTRAINT processing_has_lease CHECK ((status = 'processing') = (lease_until IS NOT NULL)),
    CONSTRAINT processing_has_attempt CHECK (status <> 'processing' OR attempt > 0),
    CONSTRAINT completed_has_result CHECK ((status = 'completed') = (result_id IS NOT NULL)),
    CONSTRAINT completed_is_whole CHECK (status <> 'completed' OR progress = 1),
    CONSTRAINT completed_is_charged CHECK (status <> 'completed' OR charged_month IS NOT NULL),
    CONSTRAINT failed_has_code CHECK ((status = 'failed') = (error_code IS NOT NULL)),
    CONSTRAINT failed_has_message CHECK ((error_code IS NULL) = (error_message IS NULL)),
    CONSTRAINT failed_is_given_back
        CHECK (status <> 'failed' OR error_code = 'canceled' OR charged_month IS NULL),
    CONSTRAINT ended_has_time
        CHECK ((status IN ('completed', 'failed')) = (completed_at IS NOT NULL))
);
CREATE UNIQUE INDEX task_active_of_user ON task (user_id)
    WHERE status IN ('pending', 'processing');
CREATE UNIQUE INDEX task_of_idempotency_key ON task (user_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX task_of_user ON task (user_id, created_at DESC, id DESC);
CREATE INDEX task_to_publish ON task (publish_at) WHERE status = 'pending';
CREATE INDEX task_leased ON task (lease_until) WHERE status = 'processing';
CREATE INDEX task_of_result ON task (result_id) WHERE result_id IS NOT NULL;
CREATE INDEX task_of_source ON task (concept_id) WHERE concept_id IS NOT NULL;
CREATE INDEX task_with_key ON task (created_at) WHERE idempotency_key IS NOT NULL;

ALTER TABLE concept ADD FOREIGN KEY (task_id) REFERENCES task ON DELETE SET NULL;

-- What followers are told, one row a visible change. Creation is version 1 and follows from the
-- task itself, so that accepting a request costs no second insert.
CREATE TABLE task_event (
    task_id uuid NOT NULL REFERENCES task ON DELETE CASCADE,
    version integer NOT NULL,
    status text NOT NULL,
    attempt integer NOT NULL,
    stage text,
    progress real NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (task_id, version)
);

CREATE FUNCTION note_visible_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.updated_at := clock_timestamp();
    INSERT INTO task_event (task_id, version, status, attempt, stage, progress, updated_at)
    VALUES (NEW.id, NEW.version, NEW.status, NEW.attempt, NEW.stage, NEW.progress, NEW.updated_at);
    RETURN NEW;
END $$;
CREATE TRIGGER task_visible_change BEFORE UPDATE ON task FOR EACH ROW
    WHEN ((OLD.status, OLD.attempt, OLD.stage, OLD.progress)
        IS DISTINCT FROM (NEW.status, NEW.attempt, NEW.stage, NEW.progress))
    EXECUTE FUNCTION note_visible_change();

-- Whoever clears charged_month gives the charge back, exactly once, in the same transaction.
CREATE FUNCTION give_charge_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE quota SET used = used - 1 WHERE user_id = OLD.user_id AND month = OLD.charged_month;
    RETURN NULL;
END $$;
CREATE TRIGGER task_given_back AFTER UPDATE OF charged_month ON task FOR EACH ROW
    WHEN (OLD.charged_month IS NOT NULL AND NEW.charged_month IS NULL)
    EXECUTE FUNCTION give_charge_back();

-- An ended task stays as it ended, whoever tries.
CREATE FUNCTION refuse_change_of_ended_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'task % has ended', OLD.id USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER task_ended BEFORE UPDATE OF status, result_id, error_code, charged_month ON task
    FOR EACH ROW WHEN (OLD.status IN ('completed', 'failed'))
    EXECUTE FUNCTION refuse_change_of_ended_task();

-- Every prefix under which this deployment ever handed out images: an old address keeps its meaning
-- after PUBLIC_URL has changed.
CREATE TABLE image_prefix (
    prefix text PRIMARY KEY,
    first_used_at timestamptz NOT NULL DEFAULT now()
);

-- migrate: rollback

DROP TABLE image_prefix, task_event, quota, task, concept CASCADE;
DROP FUNCTION note_visible_change, give_charge_back, refuse_change_of_ended_task;
