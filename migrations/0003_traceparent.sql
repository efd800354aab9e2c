-- The trace that a task's request belongs to, so that a message of the relay joins it too
-- depends: 0002_webhooks

-- migrate: apply

-- W3C Trace Context, level 1; null where traces are off. A column without a default is added
-- without rewriting the table.
ALTER TABLE task ADD COLUMN traceparent text;

-- migrate: rollback

ALTER TABLE task DROP COLUMN traceparent;
