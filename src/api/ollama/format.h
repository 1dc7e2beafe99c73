// POST /api/chat and /api/generate, answered: a JSON object, or a line of it for each piece.
#pragma once

#include <string>

#include "net/response.h"
#include "serve/answer.h"

namespace bothy::api::ollama {

class Format : public serve::AnswerFormat {
 public:
  enum class Kind { kChat, kGenerate };
  Format(Kind kind, const serve::GenerationOptions& options)
      : kind_(kind), lets_go_(options.keep_loaded_seconds == 0), log_probs_(options.log_probs.has_value()) {}

  std::string Whole(const serve::AnswerHead& head, const serve::Answer& answer, const serve::Summary& summary) override;
  std::string_view media_type() const override { return "application/x-ndjson"; }
  std::string Start(const serve::AnswerHead& head) override;
  std::string Event(const serve::ChatEvent& event) override;
  std::string End(const serve::Summary& summary) override;
  std::string Failed(const Error& error) override;

 private:
  json::object Piece(std::string_view text, std::string_view thinking, json::array calls) const;
  void Finish(json::object& piece, const serve::Summary& summary) const;

  Kind kind_;
  bool lets_go_, log_probs_;
  serve::AnswerHead head_;
  serve::ToolCall call_;  // that is being written: calls are sent whole
  std::string reason_;
};

// {"error": "..."}
json::object ErrorBody(const Error& error);
net::Response Refuse(const Error& error);

}  // namespace bothy::api::ollama
