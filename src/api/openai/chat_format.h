// POST /v1/chat/completions, answered.
#pragma once

#include <string>
#include <vector>

#include "serve/answer.h"

namespace bothy::api::openai {

class ChatFormat : public serve::AnswerFormat {
 public:
  explicit ChatFormat(const serve::GenerationOptions& options)
      : include_usage_(options.include_usage), log_probs_(options.log_probs.has_value()) {}

  std::string Whole(const serve::AnswerHead& head, const serve::Answer& answer, const serve::Summary& summary) override;
  std::string Start(const serve::AnswerHead& head) override;
  std::string Event(const serve::ChatEvent& event) override;
  std::string End(const serve::Summary& summary) override;
  std::string Failed(const Error& error) override;

 private:
  std::string Chunk(json::array choices, json::value usage = nullptr) const;
  std::string ChoiceChunk(size_t choice, json::object delta, std::string_view finish,
                          const std::vector<serve::TokenDetail>& tokens) const;

  bool include_usage_, log_probs_;
  serve::AnswerHead head_;
  std::vector<bool> begun_;  // which choices have said their role
};

// "stop", "length" or "tool_calls".
std::string_view FinishReason(serve::StopReason reason);

json::object UsageBody(const serve::Usage& usage);

inline constexpr std::string_view kStreamEnd = "data: [DONE]\n\n";

}  // namespace bothy::api::openai
