-- Large files that were removed from a repository for good while its history still points to them: what tells them from
-- those whose row of repository_content was lost.
CREATE TABLE removed_content (
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (repository_id, sha256)
);
