-- Mail waits in the one queue of background work. What a message is about stands in its payload: never a token or an
-- address.

INSERT INTO jobs (kind, subject_id, payload, created_at, due_at)
SELECT 'mail', mail_id,
       jsonb_build_object('message', kind, 'user_id', user_id,
           'expires_at', floor(extract(epoch FROM expires_at) * 1000)::bigint),
       created_at, due_at
FROM mail_outbox;
DROP TABLE mail_outbox;

-- Whether somebody waits for a link already.
CREATE INDEX jobs_password_reset ON jobs ((payload ->> 'user_id'))
    WHERE kind = 'mail' AND payload ->> 'message' = 'password_reset';
-- What is too late to be sent.
CREATE INDEX jobs_mail_expiry ON jobs (((payload ->> 'expires_at')::bigint)) WHERE kind = 'mail';
