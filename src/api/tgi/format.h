// Text Generation Inference's answers.
#pragma once

#include <optional>
#include <string>

#include "net/response.h"
#include "serve/answer.h"

namespace bothy::api::tgi {

struct FormatOptions {
  bool details = false;
  bool top_tokens = false;
  bool list = false;  // a whole answer is a list of one
};

class Format : public serve::AnswerFormat {
 public:
  explicit Format(FormatOptions options) : options_(options) {}

  std::string Whole(const serve::AnswerHead& head, const serve::Answer& answer, const serve::Summary& summary) override;
  std::string Start(const serve::AnswerHead& head) override;
  std::string Event(const serve::ChatEvent& event) override;
  std::string End(const serve::Summary& summary) override;
  std::string Failed(const Error& error) override;

 private:
  std::string Send(const serve::TokenDetail& token, json::value text, json::value details);

  FormatOptions options_;
  size_t index_ = 0;
  size_t prompt_tokens_ = 0;
  std::optional<serve::TokenDetail> last_;  // sent with the whole text when it is known that no other follows
  std::string text_;
  serve::AnswerEnd end_;
};

// {"error": ..., "error_type": ...}
json::object ErrorBody(const Error& error);
net::Response Refuse(const Error& error);

}  // namespace bothy::api::tgi
