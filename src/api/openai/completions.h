// POST /v1/completions: https://platform.openai.com/docs/api-reference/completions.
#pragma once

#include <vector>

#include "codec/json.h"
#include "serve/answer.h"

namespace bothy::api::openai {

Result<serve::Exchange> ParseCompletion(const json::object& body);

class CompletionFormat : public serve::AnswerFormat {
 public:
  explicit CompletionFormat(const serve::GenerationOptions& options)
      : include_usage_(options.include_usage), log_probs_(options.log_probs) {}

  std::string Whole(const serve::AnswerHead& head, const serve::Answer& answer, const serve::Summary& summary) override;
  std::string Start(const serve::AnswerHead& head) override;
  std::string Event(const serve::ChatEvent& event) override;
  std::string End(const serve::Summary& summary) override;
  std::string Failed(const Error& error) override;

 private:
  json::object Body(const serve::AnswerHead& head, json::array choices) const;
  json::value LogProbs(const std::vector<serve::TokenDetail>& tokens, size_t offset) const;

  bool include_usage_;
  std::optional<size_t> log_probs_;
  serve::AnswerHead head_;
  std::vector<size_t> characters_;  // sent of each choice
};

}  // namespace bothy::api::openai
