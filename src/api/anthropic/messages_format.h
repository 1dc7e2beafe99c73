// POST /v1/messages, answered: content blocks, and the events by which they grow.
#pragma once

#include <string>

#include "serve/answer.h"

namespace bothy::api::anthropic {

class MessagesFormat : public serve::AnswerFormat {
 public:
  std::string Whole(const serve::AnswerHead& head, const serve::Answer& answer, const serve::Summary& summary) override;
  std::string Start(const serve::AnswerHead& head) override;
  std::string Event(const serve::ChatEvent& event) override;
  std::string End(const serve::Summary& summary) override;
  std::string Failed(const Error& error) override;

 private:
  enum class Block { kNone, kText, kThinking, kTool };

  std::string Send(std::string_view type, json::object fields) const;
  std::string Open(Block block, json::object content);
  std::string Close();
  std::string Delta(json::object delta) const;

  Block open_ = Block::kNone;
  size_t index_ = 0;  // of the block that is open, or comes next
  serve::AnswerEnd end_;
};

}  // namespace bothy::api::anthropic
