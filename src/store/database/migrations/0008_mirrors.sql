-- Namespaces that were made for repositories of another hub: what is asked for in them, and is not here, is looked for
-- there.
CREATE TABLE mirrored_namespaces (
  namespace_id BIGINT NOT NULL PRIMARY KEY REFERENCES namespaces (id) ON DELETE CASCADE
);

-- Repositories that are kept as another hub has them.
CREATE TABLE mirrors (
  repository_id BIGINT NOT NULL PRIMARY KEY REFERENCES repositories (id) ON DELETE CASCADE,
  address TEXT NOT NULL -- of the original's page: https://hub.example/datasets/ns/name
);
