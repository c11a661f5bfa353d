-- Serves the sign-out at Entra, which names its own session.
CREATE INDEX session_entra_session ON session (entra_session);
