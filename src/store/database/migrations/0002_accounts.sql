-- Who owns repositories: users and organizations, which share one space of names.
CREATE TABLE namespaces (
  id {identity},
  name TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE, -- the name in lower case: ids are found whatever their case
  kind TEXT NOT NULL CHECK (kind IN ('user', 'organization')),
  full_name TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE users (
  id BIGINT NOT NULL PRIMARY KEY REFERENCES namespaces (id) ON DELETE CASCADE,
  email TEXT,
  password TEXT NOT NULL, -- argon2id
  administrator BOOLEAN NOT NULL,
  disabled BOOLEAN NOT NULL
);

CREATE TABLE organizations (
  id BIGINT NOT NULL PRIMARY KEY REFERENCES namespaces (id) ON DELETE CASCADE,
  private_by_default BOOLEAN NOT NULL
);

CREATE TABLE memberships (
  organization_id BIGINT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role TEXT NOT NULL CHECK (role IN ('admin', 'write', 'contributor', 'read')),
  created_at BIGINT NOT NULL,
  PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id);

-- Secrets are kept as their SHA-256: they are random and long, so that a slow hash would add nothing.
CREATE TABLE tokens (
  id {identity},
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('access', 'oauth')), -- made by hand, or by a device's login
  digest {bytes} NOT NULL UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('read', 'write', 'fineGrained')),
  scopes TEXT NOT NULL, -- JSON of a fine-grained token as whoami-v2 shows it, {} for the others
  created_at BIGINT NOT NULL,
  last_used_at BIGINT,
  expires_at BIGINT,
  revoked_at BIGINT
);
CREATE INDEX tokens_by_user ON tokens (user_id);

CREATE TABLE sessions (
  id {identity},
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  digest {bytes} NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- A device that waits for its user to confirm the login in a browser (RFC 8628).
CREATE TABLE device_codes (
  id {identity},
  digest {bytes} NOT NULL UNIQUE,
  user_code TEXT NOT NULL UNIQUE,
  client_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied')),
  user_id BIGINT REFERENCES users (id) ON DELETE CASCADE, -- who approved it
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  polled_at BIGINT,
  seconds_between_polls BIGINT NOT NULL
);
CREATE INDEX device_codes_by_expiry ON device_codes (expires_at);

CREATE TABLE refresh_tokens (
  id {identity},
  digest {bytes} NOT NULL UNIQUE,
  token_id BIGINT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE, -- the access token that came with it
  login BIGINT NOT NULL, -- the number of the login's first access token
  client_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  replaced_at BIGINT
);
CREATE INDEX refresh_tokens_by_token ON refresh_tokens (token_id);
CREATE INDEX refresh_tokens_by_login ON refresh_tokens (login);

-- Names are kept as they were: an event outlives what it is about.
CREATE TABLE audit_events (
  id {identity},
  created_at BIGINT NOT NULL,
  event TEXT NOT NULL,
  actor_id BIGINT,
  actor TEXT NOT NULL,
  target TEXT NOT NULL,
  detail TEXT NOT NULL,
  address TEXT NOT NULL
);
CREATE INDEX audit_events_by_time ON audit_events (created_at);
CREATE INDEX audit_events_by_actor ON audit_events (actor_id, id);
