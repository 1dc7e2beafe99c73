-- Files that somebody has asked others not to change meanwhile (git lfs lock). Kept to by git-lfs, which asks before it
-- pushes.
CREATE TABLE lfs_locks (
  id {identity},
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  locked_at BIGINT NOT NULL,
  UNIQUE (repository_id, path)
);
CREATE INDEX lfs_locks_by_user ON lfs_locks (user_id);
