-- What each repository takes. Its large files are counted by whoever changes repository_content, in the same
-- transaction: every push asks for the sum of a namespace's repositories.
CREATE TABLE repository_usage (
  repository_id BIGINT NOT NULL PRIMARY KEY REFERENCES repositories (id) ON DELETE CASCADE,
  large_files BIGINT NOT NULL,
  large_bytes BIGINT NOT NULL,
  git_bytes BIGINT NOT NULL, -- of the git repository as it was last measured, and of the files that came since
  measured_bytes BIGINT NOT NULL, -- what was measured last; -1: never
  measure_again_at BIGINT -- though nothing has changed: there was something then that was too young to go
);
INSERT INTO repository_usage (repository_id, large_files, large_bytes, git_bytes, measured_bytes)
  SELECT repositories.id, COUNT(repository_content.sha256),
    CAST(COALESCE(SUM(repository_content.size), 0) AS BIGINT), 0, -1
  FROM repositories LEFT JOIN repository_content ON repository_content.repository_id = repositories.id
  GROUP BY repositories.id;

-- What a namespace may take. Without a row: what the hub gives to all.
CREATE TABLE quotas (
  namespace_id BIGINT NOT NULL PRIMARY KEY REFERENCES namespaces (id) ON DELETE CASCADE,
  bytes BIGINT -- NULL: as much as there is
);
