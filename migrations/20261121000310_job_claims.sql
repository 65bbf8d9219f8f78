-- A job that is asked for again while it is at work becomes due at once, but must not be begun a second time beside the
-- first: until when it is claimed stands for itself. It also names the claim: whoever lost it changes nothing any more.
ALTER TABLE jobs ADD COLUMN claimed_until timestamptz;
