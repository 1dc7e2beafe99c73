#include "client/endpoint.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/testing.h"

namespace bothy::client {
namespace {

class EndpointTest : public testing::Test {
 protected:
  Result<Endpoint> Read() {
    return Endpoint::FromEnvironment([&](const char* name) -> const char* {
      const auto found = variables_.find(name);
      return found == variables_.end() ? nullptr : found->second.c_str();
    });
  }

  const TemporaryFolder home_;
  std::map<std::string, std::string> variables_ = {{"HF_HOME", home_.path().string()}};
};

TEST_F(EndpointTest, IsHuggingFaceForNobodyUnlessTheEnvironmentSaysElse) {
  EXPECT_EQ(Read()->address, "https://huggingface.co");
  EXPECT_EQ(Read()->token, "");
  EXPECT_FALSE(Read()->offline);
  EXPECT_TRUE(Read()->xet);
  variables_ = {{"HF_ENDPOINT", "http://hub:8080/hf/"},
                {"HF_TOKEN", " hf_x\n"},
                {"HF_HUB_OFFLINE", "yes"},
                {"HF_HUB_DISABLE_XET", "1"}};
  EXPECT_EQ(Read()->address, "http://hub:8080/hf");
  EXPECT_EQ(Read()->token, "hf_x");
  EXPECT_TRUE(Read()->offline);
  EXPECT_FALSE(Read()->xet);
  variables_["HF_ENDPOINT"] = "hub:8080";
  EXPECT_EQ(Read().error().code, ErrorCode::kInvalidArgument);
}

TEST_F(EndpointTest, TheTokenMayLieInAFile) {
  std::ofstream(home_.path() / "token") << "hf_file\n";
  EXPECT_EQ(Read()->token, "hf_file");
  std::ofstream(home_.path() / "other") << "hf_other";
  variables_["HF_TOKEN_PATH"] = "$HF_HOME/other";
  EXPECT_EQ(Read()->token, "hf_other");
  variables_["HF_TOKEN"] = "hf_variable";
  EXPECT_EQ(Read()->token, "hf_variable");
  variables_["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1";
  EXPECT_EQ(Read()->token, "");
}

}  // namespace
}  // namespace bothy::client
