-- The ID token of the sign-in, sealed, where signing out at Entra needs it.
ALTER TABLE session ADD COLUMN id_token TEXT;
