#include "client/file_choice.h"

#include <gtest/gtest.h>

#include "base/testing.h"

namespace bothy {
namespace {

using Names = std::vector<std::string>;

TEST(FileChoice, AllPartsOfASplitModelComeInTheirOrder) {
  const Names files = {"Q8_0/m-00003-of-00003.gguf", "Q8_0/m-00001-of-00003.gguf", "README.md",
                       "Q8_0/m-00002-of-00003.gguf", "Q4_0/m.gguf"};
  const auto chosen = ChooseFiles("ns/m", files, "q8_0");
  ASSERT_OK(chosen);
  EXPECT_EQ(*chosen, (Names{"Q8_0/m-00001-of-00003.gguf", "Q8_0/m-00002-of-00003.gguf", "Q8_0/m-00003-of-00003.gguf"}));
  EXPECT_EQ(ChooseFiles("ns/m", files, "README.md").value(), Names{"README.md"});
  EXPECT_EQ(ChooseFiles("ns/m", files, "m.gguf").value(), Names{"Q4_0/m.gguf"});
}

TEST(FileChoice, WhatIsNoOneFileIsAnsweredWithWhatThereIs) {
  const auto none = ChooseFiles("ns/m", {"a-Q4_0.gguf", "b.txt"}, "Q5_0");
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(none.error().message, "ns/m: no file or quantization \"Q5_0\"; there are: a-Q4_0.gguf");
  const auto several = ChooseFiles("ns/m", {"a-Q4_0.gguf", "b-Q4_0.gguf"}, "Q4_0");
  EXPECT_EQ(several.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(several.error().message, "ns/m: several files are \"Q4_0\", name one: a-Q4_0.gguf, b-Q4_0.gguf");
  EXPECT_EQ(ChooseFiles("ns/m", {"m-Q4_0-00001-of-99999.gguf"}, "Q4_0").error().message,
            "ns/m/m-Q4_0-00001-of-99999.gguf: 1 of its 99999 parts are there, part 2 is missing");
}

// The examples of huggingface_hub's filter_repo_objects.
TEST(FileChoice, PatternsAreThoseOfPythonsClients) {
  EXPECT_TRUE(FitsPatterns("aaa.pdf", {"*.pdf"}, {".*"}));
  EXPECT_FALSE(FitsPatterns(".ccc.pdf", {"*.pdf"}, {".*"}));
  EXPECT_FALSE(FitsPatterns("bbb.jpg", {"*.pdf"}, {}));
  EXPECT_TRUE(FitsPatterns("data/subdir/file.json", {"data/*.json"}, {}));
  EXPECT_TRUE(FitsPatterns("data/subdir/file.json", {"data/"}, {}));
  EXPECT_FALSE(FitsPatterns("data/subdir/file.json", {}, {"data/"}));
  EXPECT_TRUE(FitsPatterns("a1", {"x", "a[0-9]"}, {}));
  EXPECT_FALSE(FitsPatterns("A1", {"a?"}, {}));
  EXPECT_FALSE(FitsPatterns("a1", {}, {"a[!2]"}));
  EXPECT_TRUE(FitsPatterns("anything", {}, {}));
}

}  // namespace
}  // namespace bothy
