-- When a chore whose cost grows with what is stored is due again, for all processes together
-- depends: 0003_traceparent

-- migrate: apply

CREATE TABLE chore (
    name text PRIMARY KEY,
    due_at timestamptz NOT NULL
);

-- migrate: rollback

DROP TABLE chore;
