-- When the person last proved who they are, by our clock and by Entra's word; none where only the sign-in counts.
-- From here on `auth_contexts` says when each context was met; an array, as before, means at the sign-in.
ALTER TABLE session ADD COLUMN proved_at BIGINT;
ALTER TABLE session ADD COLUMN authenticated_at BIGINT;

-- What the person is to prove at Entra, and for which session; `round` 2 is the one repetition.
ALTER TABLE sign_in ADD COLUMN step_up TEXT;
ALTER TABLE sign_in ADD COLUMN session TEXT;
ALTER TABLE sign_in ADD COLUMN round BIGINT NOT NULL DEFAULT 1;

-- What the person is to prove before the hand-over.
ALTER TABLE handover ADD COLUMN step_up TEXT;
