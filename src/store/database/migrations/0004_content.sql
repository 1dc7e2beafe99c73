-- Large content. A xorb is a row of chunks, unpacked in a blob of up to 64 MiB that has the xorb's hash for a name. A
-- file is a row of segments: chunks of xorbs. What is in these tables has been verified; blobs come before their rows.

-- state: 0 whole, 1 found damaged (readable nowhere until it is sent again), 2 being removed.
CREATE TABLE content_xorbs (
  id {identity},
  hash {bytes} NOT NULL UNIQUE,
  state BIGINT NOT NULL,
  raw_bytes BIGINT NOT NULL,
  touched BIGINT NOT NULL
);
CREATE INDEX content_xorbs_state ON content_xorbs (state) WHERE state <> 0;

-- 36 bytes a chunk: its hash, and where it ends in the blob. Apart from content_xorbs, whose rows change.
CREATE TABLE content_chunk_lists (
  xorb_id BIGINT NOT NULL PRIMARY KEY REFERENCES content_xorbs (id) ON DELETE CASCADE,
  chunks {bytes} NOT NULL
);

-- In which xorb some chunks are, by the first word of their hashes. Only a hint: the chunk list has the hash.
CREATE TABLE content_chunks (
  prefix BIGINT NOT NULL PRIMARY KEY,
  xorb_id BIGINT NOT NULL
);

-- Several may have one SHA-256, where clients have cut the same bytes differently.
CREATE TABLE content_files (
  id {identity},
  hash {bytes} NOT NULL UNIQUE,
  sha256 {bytes} NOT NULL,
  size BIGINT NOT NULL,
  touched BIGINT NOT NULL
);
CREATE INDEX content_files_sha256 ON content_files (sha256);

CREATE TABLE content_segments (
  file_id BIGINT NOT NULL REFERENCES content_files (id) ON DELETE CASCADE,
  file_offset BIGINT NOT NULL,
  xorb_id BIGINT NOT NULL REFERENCES content_xorbs (id),
  xorb_offset BIGINT NOT NULL,
  raw_bytes BIGINT NOT NULL,
  chunk_begin BIGINT NOT NULL,
  chunk_end BIGINT NOT NULL,
  PRIMARY KEY (file_id, file_offset)
);
CREATE INDEX content_segments_xorb ON content_segments (xorb_id);

-- Who has sent a whole xorb, and who has sent a whole file or shown to have it.
CREATE TABLE content_xorb_senders (
  xorb_id BIGINT NOT NULL REFERENCES content_xorbs (id) ON DELETE CASCADE,
  uploader BIGINT NOT NULL,
  sent BIGINT NOT NULL,
  PRIMARY KEY (xorb_id, uploader)
);
CREATE TABLE content_file_senders (
  file_id BIGINT NOT NULL REFERENCES content_files (id) ON DELETE CASCADE,
  uploader BIGINT NOT NULL,
  sent BIGINT NOT NULL,
  PRIMARY KEY (file_id, uploader)
);

-- Xorbs that were registered together, and the chunks that clients may ask for, each with the group that is the answer.
CREATE TABLE content_groups (
  id {identity},
  registered BIGINT NOT NULL
);
CREATE TABLE content_group_xorbs (
  group_id BIGINT NOT NULL REFERENCES content_groups (id) ON DELETE CASCADE,
  xorb_id BIGINT NOT NULL REFERENCES content_xorbs (id) ON DELETE CASCADE,
  PRIMARY KEY (group_id, xorb_id)
);
CREATE INDEX content_group_xorbs_xorb ON content_group_xorbs (xorb_id);
CREATE TABLE content_asked_chunks (
  hash {bytes} NOT NULL PRIMARY KEY,
  xorb_id BIGINT NOT NULL REFERENCES content_xorbs (id) ON DELETE CASCADE,
  group_id BIGINT NOT NULL
);
CREATE INDEX content_asked_chunks_xorb ON content_asked_chunks (xorb_id);

-- Garbage collections under way, and the content that each has found to be in use.
CREATE TABLE content_collections (
  id {identity},
  started BIGINT NOT NULL
);
CREATE TABLE content_marks (
  collection_id BIGINT NOT NULL REFERENCES content_collections (id) ON DELETE CASCADE,
  sha256 {bytes} NOT NULL,
  PRIMARY KEY (collection_id, sha256)
);
