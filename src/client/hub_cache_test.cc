#include "client/hub_cache.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/testing.h"
#include "client/hub_cache_contents.h"

namespace bothy {
namespace {

namespace fs = std::filesystem;

const std::string kFirst = "aaaa1111bbbb2222cccc3333dddd4444eeee5555";
const std::string kSecond = "aaaa2222bbbb2222cccc3333dddd4444eeee5555";

// A cache as huggingface_hub lays it out: links in snapshots, blobs named by their content.
class HubCacheTest : public testing::Test {
 protected:
  void File(const std::string& repository, const std::string& commit, const std::string& file,
            const std::string& content) {
    const fs::path blob =
        folder_.path() / repository / "blobs" / ("etag-" + std::to_string(std::hash<std::string>()(content)));
    Write(blob, content);
    const fs::path link = folder_.path() / repository / "snapshots" / commit / file;
    fs::create_directories(link.parent_path());
    fs::create_symlink(blob.lexically_relative(link.parent_path()), link);
  }
  void Ref(const std::string& repository, const std::string& ref, const std::string& commit) {
    Write(folder_.path() / repository / "refs" / ref, commit);
  }
  static void Write(const fs::path& path, const std::string& content) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << content;
  }

  fs::path Snapshot(const std::string& repository, const std::string& commit) const {
    return folder_.path() / repository / "snapshots" / commit;
  }
  // The path in the cache that a model resolves to, or the error, both without the temporary folder's name.
  std::string Resolved(std::string_view model) const {
    const auto path = ResolveModelPath(model, cache_);
    std::string text = path ? path->string() : path.error().message;
    const std::string root = folder_.path().string();
    for (size_t at = text.find(root); at != std::string::npos; at = text.find(root))
      text.replace(at, root.size(), "CACHE");
    return text;
  }
  std::vector<HubName> Names(const std::vector<std::string>& texts) const {
    std::vector<HubName> names;
    for (const auto& text : texts) names.push_back(*ParseHubName(text));
    return names;
  }
  CacheRemoval RemoveNames(const std::vector<std::string>& texts) const {
    const auto plan = PlanRemoval(cache_, Names(texts));
    EXPECT_OK(plan);
    EXPECT_OK(Remove(*plan));
    return *plan;
  }
  std::vector<std::string> Left() const {
    const auto files = FilesBelow(folder_.path());
    EXPECT_OK(files);
    return *files;
  }

  const TemporaryFolder folder_;
  const HubCache cache_{folder_.path()};
};

TEST(HubName, IsTakenApart) {
  const auto name = ParseHubName("HuggingFaceTB/SmolLM2-135M@refs/pr/1:Q4_K_M");
  ASSERT_OK(name);
  EXPECT_EQ(name->type, "models");
  EXPECT_EQ(name->id, "HuggingFaceTB/SmolLM2-135M");
  EXPECT_EQ(name->revision, "refs/pr/1");
  EXPECT_EQ(name->file, "Q4_K_M");
  EXPECT_EQ(name->Folder(), "models--HuggingFaceTB--SmolLM2-135M");
  EXPECT_EQ(ParseHubName("gpt2")->Folder(), "models--gpt2");
  EXPECT_EQ(ParseHubName("datasets/ns/name")->Folder(), "datasets--ns--name");
  EXPECT_EQ(ParseHubName("datasets/name")->Folder(), "datasets--name");
  EXPECT_EQ(ParseHubName("a/b:dir/model.gguf")->file, "dir/model.gguf");
}

TEST(HubName, CannotLeadOutOfTheCache) {
  for (const std::string_view text :
       {"",         "..",     "../etc",        "a/..",     "/etc/passwd", "a//b",    "a/b/c",    "a--b/c",
        "a/.b",     "a/b.",   "a b/c",         "a/b@",     "a/b@../../x", "a/b@/x",  "a/b@x//y", "a/b:",
        "a/b:../x", "a/b:/x", "a/b:x/../../y", "a/b:x\\y", "a/b:.",       "a/b@x\ny"}) {
    EXPECT_FALSE(ParseHubName(text)) << text;
  }
  EXPECT_FALSE(ParseHubName(std::string(97, 'a')));
  EXPECT_TRUE(ParseHubName(std::string(96, 'a')));
}

TEST(HubName, ComesBackFromItsFolder) {
  for (const std::string text : {"ns/name", "gpt2", "datasets/ns/name", "spaces/name"}) {
    const auto name = HubNameOfFolder(ParseHubName(text)->Folder());
    ASSERT_TRUE(name) << text;
    EXPECT_EQ(name->id, ParseHubName(text)->id);
    EXPECT_EQ(name->type, ParseHubName(text)->type);
  }
  EXPECT_FALSE(HubNameOfFolder("version.txt"));
  EXPECT_FALSE(HubNameOfFolder("other--ns--name"));
}

TEST(HubCacheFolder, IsWherePythonsClientsLook) {
  std::map<std::string, std::string> variables = {{"HOME", "/home/me"}, {"DATA", "/data"}};
  const auto root = [&] {
    return HubCache::FromEnvironment([&](const char* name) -> const char* {
             const auto found = variables.find(name);
             return found == variables.end() ? nullptr : found->second.c_str();
           })
        .root()
        .string();
  };
  EXPECT_EQ(root(), "/home/me/.cache/huggingface/hub");
  variables["XDG_CACHE_HOME"] = "/xdg";
  EXPECT_EQ(root(), "/xdg/huggingface/hub");
  variables["HF_HOME"] = "~/hf";
  EXPECT_EQ(root(), "/home/me/hf/hub");
  variables["HUGGINGFACE_HUB_CACHE"] = "/old";
  EXPECT_EQ(root(), "/old");
  variables["HF_HUB_CACHE"] = "${DATA}/$NONE/hub";
  EXPECT_EQ(root(), "/data/$NONE/hub");
  variables["HF_HUB_CACHE"] = "";  // empty is the same as not set
  EXPECT_EQ(root(), "/old");
}

TEST_F(HubCacheTest, ANameIsMainOrItsRevisionByBranchTagOrCommit) {
  File("models--ns--m", kFirst, "config.json", "1");
  File("models--ns--m", kSecond, "config.json", "2");
  Ref("models--ns--m", "main", kFirst);
  Ref("models--ns--m", "v2", kSecond + "\n");
  Ref("models--ns--m", "refs/pr/1", kSecond);
  const std::string first = "CACHE/models--ns--m/snapshots/" + kFirst,
                    second = "CACHE/models--ns--m/snapshots/" + kSecond;
  EXPECT_EQ(Resolved("ns/m"), first);
  EXPECT_EQ(Resolved("ns/m@v2"), second);
  EXPECT_EQ(Resolved("ns/m@refs/pr/1"), second);
  EXPECT_EQ(Resolved("ns/m@" + kSecond), second);
  EXPECT_EQ(Resolved("ns/m@AAAA1"), first);
  EXPECT_EQ(Resolved("ns/m@v2:config.json"), second + "/config.json");
  EXPECT_EQ(Resolved("ns/m@aaaa"), "ns/m: several commits in the cache begin with aaaa: " + kFirst + ", " + kSecond);
  EXPECT_EQ(Resolved("ns/m@v3"),
            "ns/m: no revision v3 in the cache: looked for CACHE/models--ns--m/refs/v3 and for "
            "commits; there are: " +
                kFirst + ", " + kSecond);
}

TEST_F(HubCacheTest, WithoutMainTheOnlyRevisionIsMeant) {
  File("models--ns--m", kFirst, "config.json", "1");
  EXPECT_EQ(Resolved("ns/m"), "CACHE/models--ns--m/snapshots/" + kFirst);
  File("models--ns--m", kSecond, "config.json", "2");
  EXPECT_EQ(Resolved("ns/m"), "ns/m: there is no main revision in the cache, name one: " + kFirst + ", " + kSecond);
}

TEST_F(HubCacheTest, BrokenRefsAreNamed) {
  Ref("models--ns--m", "main", kFirst);
  EXPECT_EQ(Resolved("ns/m"), "ns/m: main is commit " + kFirst +
                                  ", of which nothing is in the cache: looked for CACHE/models--ns--m/snapshots/" +
                                  kFirst);
  Ref("models--ns--m", "main", "../../../etc");
  EXPECT_EQ(Resolved("ns/m"), "CACHE/models--ns--m/refs/main: offset 0: expected a commit, found \"../../../etc\"");
}

TEST_F(HubCacheTest, AQuantizationPicksTheFileWhateverItsCaseAndPlace) {
  const std::string repository = "models--ns--m";
  for (const std::string file :
       {"Model.Q4_K_M.gguf", "model-q4_k_s.gguf", "model_Q8_0.gguf", "Model-IQ4_NL.gguf", "mmproj-Q8_0.gguf",
        "BF16/model-00001-of-00002.gguf", "BF16/model-00002-of-00002.gguf", "Model-Q6_K-00002-of-00003.gguf",
        "Model-Q6_K-00003-of-00003.gguf", "a-Q5_0.gguf", "b-Q5_0.gguf"}) {
    File(repository, kFirst, file, file);
  }
  const std::string snapshot = "CACHE/models--ns--m/snapshots/" + kFirst + "/";
  EXPECT_EQ(Resolved("ns/m:Q4_K_M"), snapshot + "Model.Q4_K_M.gguf");
  EXPECT_EQ(Resolved("ns/m:q4_K_S"), snapshot + "model-q4_k_s.gguf");
  EXPECT_EQ(Resolved("ns/m:Q8_0"), snapshot + "model_Q8_0.gguf");
  EXPECT_EQ(Resolved("ns/m:bf16"), snapshot + "BF16/model-00001-of-00002.gguf");
  EXPECT_EQ(Resolved("ns/m:mmproj-Q8_0.gguf"), snapshot + "mmproj-Q8_0.gguf");
  EXPECT_EQ(Resolved("ns/m:model-00002-of-00002.gguf"), snapshot + "BF16/model-00002-of-00002.gguf");
  EXPECT_EQ(Resolved("ns/m:Q6_K"),
            snapshot + "Model-Q6_K-00001-of-00003.gguf: 2 of its 3 parts are there, part 1 is missing");
  EXPECT_EQ(Resolved("ns/m:Q5_0"), snapshot.substr(0, snapshot.size() - 1) +
                                       ": several files are \"Q5_0\", name one: a-Q5_0.gguf, b-Q5_0.gguf");
  for (const std::string none : {"Q4_K", "Q4_NL", "4_K_M", "Q3_K"}) {
    EXPECT_EQ(Resolved("ns/m:" + none),
              snapshot.substr(0, snapshot.size() - 1) + ": no file or quantization \"" + none +
                  "\"; there are: BF16/model-00001-of-00002.gguf, Model-IQ4_NL.gguf, Model-Q6_K-00001-of-00003.gguf, "
                  "Model.Q4_K_M.gguf, a-Q5_0.gguf, b-Q5_0.gguf, model-q4_k_s.gguf, model_Q8_0.gguf");
  }
}

TEST_F(HubCacheTest, PathsComeBeforeNames) {
  Write(folder_.path() / "here" / "m-Q4_0.gguf", "x");
  EXPECT_EQ(Resolved((folder_.path() / "here").string()), "CACHE/here");
  EXPECT_EQ(Resolved((folder_.path() / "here").string() + ":q4_0"), "CACHE/here/m-Q4_0.gguf");
  EXPECT_EQ(
      Resolved((folder_.path() / "there").string()),
      "CACHE/there: there is no such file or folder, and it is no name in the cache: expected a name like ns/name, "
      "found \"CACHE/there\"");
}

TEST_F(HubCacheTest, AMissingNameIsAnsweredWithTheNearest) {
  File("models--HuggingFaceTB--SmolLM2-135M", kFirst, "a", "1");
  File("models--HuggingFaceTB--SmolLM2-360M", kFirst, "a", "1");
  File("models--other--Llama", kFirst, "a", "1");
  EXPECT_EQ(
      Resolved("HuggingfaceTB/SmolLM2-135M"),
      "HuggingfaceTB/SmolLM2-135M: no such file or folder; HuggingfaceTB/SmolLM2-135M: not in the cache: looked for "
      "CACHE/models--HuggingfaceTB--SmolLM2-135M; did you mean HuggingFaceTB/SmolLM2-135M, or "
      "HuggingFaceTB/SmolLM2-360M?");
  EXPECT_EQ(Resolved("meta/Llama"),
            "meta/Llama: no such file or folder; meta/Llama: not in the cache: looked for "
            "CACHE/models--meta--Llama; did you mean other/Llama?");
  const HubCache none(folder_.path() / "none");
  const auto result = none.Resolve(*ParseHubName("a/b"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  EXPECT_NE(result.error().message.find("HF_HOME"), std::string::npos);
}

TEST_F(HubCacheTest, TheListCountsEachBlobOnce) {
  File("models--ns--m", kFirst, "shared", std::string(1000, 's'));
  File("models--ns--m", kFirst, "copy", std::string(1000, 's'));
  File("models--ns--m", kFirst, "sub/own", std::string(10, '1'));
  File("models--ns--m", kSecond, "shared", std::string(1000, 's'));
  File("models--ns--m", kSecond, "own", std::string(200, '2'));
  Write(Snapshot("models--ns--m", kSecond) / "plain", std::string(5, 'p'));  // where there are no links
  fs::create_symlink("../../blobs/gone", Snapshot("models--ns--m", kSecond) / "broken");
  Write(folder_.path() / "models--ns--m" / "blobs" / "etag.1234.incomplete", std::string(70, 'i'));
  Ref("models--ns--m", "main", kSecond);
  Ref("models--ns--m", "v1", kFirst);
  Write(folder_.path() / "datasets--d" / "snapshots" / kFirst / "data", "x");
  Write(folder_.path() / "version.txt", "1");
  fs::create_directories(folder_.path() / ".locks" / "models--ns--m");
  const auto list = ListCache(cache_);
  ASSERT_OK(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ(list->at(0).name.id, "d");
  EXPECT_EQ(list->at(0).name.type, "datasets");
  EXPECT_EQ(list->at(0).size, 1u);
  const CachedRepository& repository = list->at(1);
  EXPECT_EQ(repository.name.id, "ns/m");
  EXPECT_EQ(repository.size, 1000u + 10 + 200 + 5 + 70);
  EXPECT_EQ(repository.unused, 70u);
  ASSERT_EQ(repository.revisions.size(), 2u);
  for (const CachedRevision& revision : repository.revisions) {
    EXPECT_EQ(revision.size, revision.commit == kFirst ? 1010u : 1205u);
    EXPECT_EQ(revision.files.size(), revision.commit == kFirst ? 3u : 4u);
    EXPECT_EQ(revision.refs, std::vector<std::string>{revision.commit == kFirst ? "v1" : "main"});
  }
  EXPECT_TRUE(ListCache(HubCache(folder_.path() / "none"))->empty());
}

TEST_F(HubCacheTest, RemovingARevisionLeavesWhatOthersHave) {
  File("models--ns--m", kFirst, "shared", std::string(1000, 's'));
  File("models--ns--m", kFirst, "own", std::string(10, '1'));
  File("models--ns--m", kSecond, "shared", std::string(1000, 's'));
  File("models--ns--m", kSecond, "own", std::string(200, '2'));
  Ref("models--ns--m", "main", kSecond);
  Ref("models--ns--m", "v1", kFirst);
  EXPECT_EQ(RemoveNames({"ns/m@v1"}).freed, 10u);
  EXPECT_FALSE(fs::exists(Snapshot("models--ns--m", kFirst)));
  EXPECT_FALSE(fs::exists(folder_.path() / "models--ns--m" / "refs" / "v1"));
  const auto list = ListCache(cache_);
  ASSERT_OK(list);
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->front().size, 1200u);
  EXPECT_EQ(list->front().unused, 0u);
  EXPECT_EQ(ReadTestFile(Snapshot("models--ns--m", kSecond) / "shared"), std::string(1000, 's'));
}

TEST_F(HubCacheTest, RemovingTheLastRevisionRemovesTheRepository) {
  File("models--ns--m", kFirst, "a", "1234");
  File("models--ns--m", kSecond, "b", "12345");
  Write(folder_.path() / "models--ns--m" / "blobs" / "x.incomplete", "123456");
  Write(folder_.path() / "models--ns--m" / ".no_exist" / kFirst / "adapter_config.json", "");
  Write(folder_.path() / ".locks" / "models--ns--m" / "x.lock", "");
  File("models--ns--other", kFirst, "a", "1234");
  EXPECT_EQ(RemoveNames({"ns/m@" + kFirst, "ns/m@" + kSecond}).freed, 15u);
  for (const auto& file : Left()) EXPECT_TRUE(file.starts_with("models--ns--other")) << file;
  EXPECT_EQ(Left().size(), 2u);
}

TEST_F(HubCacheTest, RemovingAQuantizationTakesAllItsPartsAndNoOthers) {
  File("models--ns--m", kFirst, "config.json", "{}");
  File("models--ns--m", kFirst, "Q8/m-Q8_0-00001-of-00002.gguf", std::string(100, 'a'));
  File("models--ns--m", kFirst, "Q8/m-Q8_0-00002-of-00002.gguf", std::string(50, 'b'));
  File("models--ns--m", kFirst, "m-Q4_0.gguf", std::string(40, 'c'));
  Ref("models--ns--m", "main", kFirst);
  EXPECT_EQ(RemoveNames({"ns/m:Q8_0"}).freed, 150u);
  EXPECT_EQ(Resolved("ns/m:Q4_0"), "CACHE/models--ns--m/snapshots/" + kFirst + "/m-Q4_0.gguf");
  EXPECT_FALSE(fs::exists(Snapshot("models--ns--m", kFirst) / "Q8"));
  EXPECT_EQ(Left().size(), 5u);  // two links, two blobs, the ref
}

TEST_F(HubCacheTest, NothingOutsideOfTheRepositoryIsDeletedWhereverLinksLead) {
  Write(folder_.path() / "precious", "keep");
  fs::create_directories(Snapshot("models--ns--m", kFirst));
  fs::create_symlink(folder_.path() / "precious", Snapshot("models--ns--m", kFirst) / "a");
  fs::create_directories(folder_.path() / "outside");
  Write(folder_.path() / "outside" / "b", "keep");
  fs::create_directory_symlink(folder_.path() / "outside", Snapshot("models--ns--m", kFirst) / "linked");
  File("models--ns--m", kSecond, "c", "1");
  RemoveNames({"ns/m@" + kFirst});
  RemoveNames({"ns/m"});
  EXPECT_EQ(Left(), (std::vector<std::string>{"outside/b", "precious"}));
  fs::create_directory_symlink(folder_.path() / "outside", folder_.path() / "models--ns--m");
  EXPECT_EQ(PlanRemoval(cache_, Names({"ns/m"})).error().code, ErrorCode::kFailedPrecondition);
}

TEST_F(HubCacheTest, RemovingWhatIsNotThereIsAnError) {
  File("models--ns--m", kFirst, "a", "1");
  EXPECT_EQ(PlanRemoval(cache_, Names({"ns/n"})).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(PlanRemoval(cache_, Names({"ns/m", "ns/m@v7"})).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(PlanRemoval(cache_, Names({"ns/m:Q4_0"})).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Left().size(), 2u);
}

}  // namespace
}  // namespace bothy
