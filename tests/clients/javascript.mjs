// npm @huggingface/hub against the hub at HF_ENDPOINT. CLIENT is the folder in which it is installed.
import assert from "node:assert";
import { mkdtemp, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const hub = createRequire(process.env.CLIENT)("@huggingface/hub");
const to = { accessToken: process.env.HF_TOKEN, hubUrl: process.env.HF_ENDPOINT };

// The same for the same seed, and not compressible (Numerical Recipes' generator; its high bytes).
function madeBytes(size, seed) {
  const bytes = new Uint8Array(size);
  for (let i = 0, x = seed; i < size; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

async function newRepository(name) {
  const repo = { type: "model", name: `ada/${name}` };
  await hub.createRepo({ ...to, repo });
  return repo;
}

async function all(items) {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

async function contents(repo, path, options = {}) {
  const blob = await hub.downloadFile({ ...to, repo, path, ...options });
  return new Uint8Array(await blob.arrayBuffer());
}

async function paths(repo) {
  return (await all(hub.listFiles({ ...to, repo, recursive: true }))).map((file) => file.path).sort();
}

const tests = {
  async a_client_learns_who_it_is() {
    assert.equal((await hub.whoAmI(to)).name, "ada");
  },

  async a_small_file_comes_back() {
    const repo = await newRepository("js-small");
    await hub.uploadFile({ ...to, repo, file: { path: "docs/a.txt", content: new Blob(["hello"]) } });
    assert.equal(Buffer.from(await contents(repo, "docs/a.txt")).toString(), "hello");
    assert.equal(await hub.downloadFile({ ...to, repo, path: "nothing.txt" }), null);
    assert.ok(await hub.fileExists({ ...to, repo, path: "docs/a.txt" }));
  },

  async a_large_file_comes_back_by_xet_and_without() {
    const repo = await newRepository("js-large");
    for (const useXet of [true, false]) {
      const data = madeBytes(12_000_000, useXet ? 1 : 2);
      const path = `${useXet}.bin`;
      await hub.uploadFiles({ ...to, repo, useXet, files: [{ path, content: new Blob([data]) }] });
      assert.equal(Buffer.compare(await contents(repo, path), data), 0);
      assert.equal(Buffer.compare(await contents(repo, path, { xet: false }), data), 0);
      const part = (await hub.downloadFile({ ...to, repo, path })).slice(9_000_000, 9_000_100);
      assert.equal(Buffer.compare(new Uint8Array(await part.arrayBuffer()), data.subarray(9_000_000, 9_000_100)), 0);
      const info = await hub.fileDownloadInfo({ ...to, repo, path });
      assert.ok(info.size === data.length && info.xet.hash);
    }
  },

  async a_large_file_is_edited_in_place() {
    const repo = await newRepository("js-edited");
    const data = madeBytes(3_000_000, 3);
    await hub.uploadFile({ ...to, repo, file: { path: "a.bin", content: new Blob([data]) } });
    const edits = [{ start: 1_000_000, end: 1_000_010, content: new Blob(["inserted"]) }];
    await hub.commit({ ...to, repo, title: "edit", useXet: true,
      operations: [{ operation: "edit", path: "a.bin", originalContent: new Blob([data]), edits }] });
    const expected = Buffer.concat([data.subarray(0, 1_000_000), Buffer.from("inserted"), data.subarray(1_000_010)]);
    assert.equal(Buffer.compare(await contents(repo, "a.bin"), expected), 0);
  },

  async files_are_listed_and_deleted() {
    const repo = await newRepository("js-deleted");
    const files = ["a.txt", "b/c.txt", "d.txt"].map((path) => ({ path, content: new Blob([path]) }));
    await hub.uploadFiles({ ...to, repo, files });
    assert.deepEqual(await paths(repo), [".gitattributes", "a.txt", "b", "b/c.txt", "d.txt"]);
    await hub.deleteFile({ ...to, repo, path: "a.txt" });
    await hub.deleteFiles({ ...to, repo, paths: ["b/c.txt"] });
    assert.deepEqual(await paths(repo), [".gitattributes", "d.txt"]);
  },

  async commits_are_listed_in_pages_and_counted() {
    const repo = await newRepository("js-commits");
    for (const path of ["a", "b", "c"]) await hub.uploadFile({ ...to, repo, file: { path, content: new Blob([path]) } });
    const titles = (await all(hub.listCommits({ ...to, repo, batchSize: 2 }))).map((commit) => commit.title);
    assert.deepEqual(titles, ["Add c", "Add b", "Add a", "initial commit"]);
    assert.equal(await hub.countCommits({ ...to, repo }), 4);
  },

  async paths_are_described() {
    const repo = await newRepository("js-paths");
    await hub.uploadFile({ ...to, repo, file: { path: "a.bin", content: new Blob([madeBytes(200_000, 4)]) } });
    const [info] = await hub.pathsInfo({ ...to, repo, paths: ["a.bin", "none"], expand: true });
    assert.ok(info.path === "a.bin" && info.lfs.size === 200_000 && info.lastCommit.title);
  },

  async a_pull_request_and_branches_are_made() {
    const repo = await newRepository("js-branches");
    const made = await hub.uploadFile({ ...to, repo, isPullRequest: true, file: { path: "pr", content: new Blob(["1"]) } });
    assert.ok(made.pullRequestUrl.endsWith("/discussions/1"));
    assert.equal(Buffer.from(await contents(repo, "pr", { revision: "refs/pr/1" })).toString(), "1");
    await hub.createBranch({ ...to, repo, branch: "dev" });
    await hub.deleteBranch({ ...to, repo, branch: "dev" });
  },

  async a_snapshot_is_downloaded() {
    const repo = await newRepository("js-snapshot");
    await hub.uploadFiles({ ...to, repo, files: [{ path: "a.bin", content: new Blob([madeBytes(300_000, 5)]) },
      { path: "b/c.txt", content: new Blob(["c"]) }] });
    const cacheDir = await mkdtemp(join(tmpdir(), "bothy-js-"));
    const here = await hub.snapshotDownload({ ...to, repo, cacheDir });
    assert.equal(Buffer.compare(await readFile(join(here, "a.bin")), madeBytes(300_000, 5)), 0);
    assert.equal((await readFile(join(here, "b/c.txt"))).toString(), "c");
  },

  async a_repository_is_described_listed_and_deleted() {
    const repo = await newRepository("js-described");
    const info = await hub.modelInfo({ ...to, name: repo.name, additionalFields: ["sha", "author", "siblings"] });
    assert.ok(info.sha.length === 40 && info.author === "ada" && info.siblings.length === 1);
    assert.ok((await all(hub.listModels({ ...to, search: { owner: "ada" } }))).some((m) => m.name === repo.name));
    await hub.deleteRepo({ ...to, repo });
    assert.equal(await hub.repoExists({ ...to, repo }), false);
  },
};

for (const [name, test] of Object.entries(tests)) {
  const entry = { name };
  try {
    await test();
  } catch (error) {
    entry.failures = [{ failure: `${name}: ${error.stack}` }];
  }
  console.log(JSON.stringify(entry));
}
