CREATE TABLE repositories (
  id {identity},
  kind TEXT NOT NULL CHECK (kind IN ('model', 'dataset', 'space', 'kernel')),
  namespace_id BIGINT NOT NULL REFERENCES namespaces (id),
  name TEXT NOT NULL,
  key TEXT NOT NULL, -- the name in lower case
  creator_id BIGINT REFERENCES users (id) ON DELETE SET NULL,
  -- What a crash has left in another state than 'ready' is undone or finished by the next start.
  state TEXT NOT NULL CHECK (state IN ('creating', 'ready', 'deleting')),
  folder TEXT NOT NULL, -- where it lies below git/; while it is being moved still the old place
  private BOOLEAN NOT NULL,
  gated TEXT NOT NULL CHECK (gated IN ('false', 'auto', 'manual')),
  disabled BOOLEAN NOT NULL,
  next_number BIGINT NOT NULL, -- of its discussions and pull requests
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (kind, namespace_id, key)
);
CREATE INDEX repositories_by_namespace ON repositories (namespace_id, kind);
CREATE INDEX repositories_unready ON repositories (id) WHERE state <> 'ready';

-- Names that repositories had before they were moved.
CREATE TABLE repository_redirects (
  kind TEXT NOT NULL,
  namespace_key TEXT NOT NULL,
  key TEXT NOT NULL,
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (kind, namespace_key, key)
);
CREATE INDEX repository_redirects_by_repository ON repository_redirects (repository_id);

-- Who asked to be let into a gated repository, and what became of it.
CREATE TABLE access_requests (
  id {identity},
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  status TEXT NOT NULL CHECK (status IN ('pending', 'accepted', 'rejected')),
  answers TEXT NOT NULL, -- JSON: what the user has filled in
  rejection_reason TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (repository_id, user_id)
);
CREATE INDEX access_requests_by_user ON access_requests (user_id);

-- The large files that a repository's commits have ever pointed to. A row is there before the commit is, so that what
-- is not here is referred to by nobody: it is what garbage collection keeps, what usage counts, and what makes "could
-- read it through some repository" a query.
CREATE TABLE repository_content (
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  path TEXT NOT NULL, -- where it was met first
  ref TEXT NOT NULL, -- and in which branch, "" where none leads to it any more
  added_at BIGINT NOT NULL,
  PRIMARY KEY (repository_id, sha256)
);
CREATE INDEX repository_content_by_sha256 ON repository_content (sha256);

-- What happened, for activity, webhooks and jobs. Names are kept as they were: an event outlives what it is about.
CREATE TABLE repository_events (
  id {identity},
  created_at BIGINT NOT NULL,
  action TEXT NOT NULL CHECK (action IN ('create', 'delete', 'move', 'settings', 'push')),
  repository_id BIGINT NOT NULL,
  repository TEXT NOT NULL, -- models/ns/name
  user_id BIGINT, -- nobody: the hub itself
  ref TEXT, -- of a push
  old_oid TEXT,
  new_oid TEXT
);
CREATE INDEX repository_events_by_repository ON repository_events (repository_id, id);

-- What was read out of a file of weights, which never changes.
CREATE TABLE content_metadata (
  content TEXT NOT NULL PRIMARY KEY, -- SHA-256 of a large file, git's oid of another
  metadata TEXT NOT NULL -- JSON; {} where it could not be read
);
