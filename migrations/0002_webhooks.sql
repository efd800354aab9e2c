-- Webhooks: whom to tell that a task has ended, and what became of telling them
-- depends: 0001_tasks_concepts_quota

-- migrate: apply

-- slot counts a user's webhooks, so that no race can make more of them than there are slots.
CREATE TABLE webhook (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    slot integer NOT NULL CHECK (slot BETWEEN 1 AND 10),
    url text NOT NULL,
    events text[] NOT NULL CHECK (
        cardinality(events) > 0 AND events <@ ARRAY['task.completed', 'task.failed']),
    secret bytea NOT NULL CHECK (octet_length(secret) BETWEEN 24 AND 64),
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    UNIQUE (user_id, slot)
);

-- One event for one webhook. The id is what the receiver knows it by, the same at every attempt.
-- due_at is when the next attempt may begin and, while one is under way, when it counts as lost;
-- the number of the attempt is the fence.
CREATE TABLE webhook_delivery (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    webhook_id uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
    event text NOT NULL CHECK (event IN ('task.completed', 'task.failed', 'webhook.test')),
    task_id uuid,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
    attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    due_at timestamptz DEFAULT now(),
    attempted_at timestamptz,
    response_status integer,
    error text CHECK (error IN (
        'refused', 'redirected', 'timed_out', 'unreachable', 'address_refused',
        'certificate_invalid', 'gone', 'task_deleted', 'internal_error')),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pending_is_due CHECK ((status = 'pending') = (due_at IS NOT NULL)),
    CONSTRAINT failed_has_reason CHECK (status <> 'failed' OR error IS NOT NULL),
    CONSTRAINT delivered_was_answered
        CHECK (status <> 'delivered' OR response_status BETWEEN 200 AND 299 AND error IS NULL),
    CONSTRAINT test_is_of_no_task CHECK ((event = 'webhook.test') = (task_id IS NULL)),
    UNIQUE (webhook_id, task_id)
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (due_at) WHERE status = 'pending';
CREATE INDEX webhook_delivery_log ON webhook_delivery (webhook_id, created_at DESC, id DESC);
CREATE INDEX webhook_delivery_settled ON webhook_delivery (created_at) WHERE status <> 'pending';
-- a test that has not been sent yet is the test that the next one asks for
CREATE UNIQUE INDEX webhook_delivery_one_test ON webhook_delivery (webhook_id)
    WHERE event = 'webhook.test' AND status = 'pending';

-- Whatever ends a task owes its webhooks a delivery, in the same transaction.
CREATE FUNCTION owe_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO webhook_delivery (webhook_id, event, task_id)
    SELECT id, 'task.' || NEW.status, NEW.id FROM webhook
    WHERE user_id = NEW.user_id AND disabled_at IS NULL AND 'task.' || NEW.status = ANY (events)
    -- one that is being deleted must not make the end of the task fail at the foreign key
    FOR KEY SHARE;
    RETURN NULL;
END $$;
CREATE TRIGGER task_owes_deliveries AFTER UPDATE OF status ON task FOR EACH ROW
    WHEN (OLD.status IN ('pending', 'processing') AND NEW.status IN ('completed', 'failed'))
    EXECUTE FUNCTION owe_deliveries();

-- migrate: rollback

DROP TRIGGER task_owes_deliveries ON task;
DROP FUNCTION owe_deliveries;
DROP TABLE webhook_delivery, webhook;
