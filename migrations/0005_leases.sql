-- Leases by what they are: the index is for finding those that ran out, and nothing else
-- depends: 0004_chores

-- migrate: apply

-- On status = 'processing' it also matched what looks for one task by its id. A plan that was made
-- while the tables were new took it for that, and read every lease there was.
DROP INDEX task_leased;
CREATE INDEX task_leased ON task (lease_until) WHERE lease_until IS NOT NULL;

-- migrate: rollback

DROP INDEX task_leased;
CREATE INDEX task_leased ON task (lease_until) WHERE status = 'processing';
