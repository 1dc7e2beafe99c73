// bothy chat: a conversation in the terminal.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>

#include "cli/command.h"
#include "cli/terminal.h"
#include "cli/text_options.h"
#include "codec/json.h"
#include "runtime/text_generation.h"
#include "text/open_chat_template.h"

namespace bothy::cli {
namespace {

struct Options {
  ModelOptions model;
  TextOptions text;
  std::string system;
};

constexpr double kTemperature = 0.7, kTopP = 0.95;

constexpr std::string_view kHelp =
    "/help         this list\n"
    "/reset        forget the conversation\n"
    "/retry        another answer to the last question\n"
    "/undo         take the last question and its answer back\n"
    "/system TEXT  say how the model should behave, and begin anew\n"
    "/exit         leave (Ctrl-D too)\n"
    "Ctrl-C stops an answer. A line that ends with \\ goes on in the next.\n";

// Reads lines from the terminal or a pipe.
class LineReader {
 public:
  enum class Outcome { kLine, kEnd, kInterrupted };

  Outcome Next(std::string& line) {
    line.clear();
    for (;;) {
      const size_t end = buffer_.find('\n');
      if (end != std::string::npos) {
        line += buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        if (!line.ends_with('\\')) return Outcome::kLine;
        line.back() = '\n';
        continue;
      }
      char bytes[4096];
      const ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
      if (n > 0) {
        buffer_.append(bytes, static_cast<size_t>(n));
      } else if (n < 0 && errno == EINTR) {
        if (!Interrupted()) continue;
        ClearInterrupt();
        return Outcome::kInterrupted;
      } else {
        line += buffer_;
        buffer_.clear();
        return line.empty() ? Outcome::kEnd : Outcome::kLine;
      }
    }
  }

 private:
  std::string buffer_;
};

class Conversation {
 public:
  Conversation(OpenModel& open, const Tokenizer& tokenizer, const ChatTemplate& chat_template, SamplingParams params,
               std::string system)
      : tokenizer_(tokenizer),
        chat_template_(chat_template),
        params_(std::move(params)),
        session_(*open.engine),
        system_(std::move(system)) {
    Reset();
  }

  void Reset() {
    messages_.clear();
    if (!system_.empty()) messages_.push_back(json::object{{"role", "system"}, {"content", system_}});
  }
  void SetSystem(std::string text) {
    system_ = std::move(text);
    Reset();
  }

  // Takes the last question back, and its answer where there is one; nothing where none was asked.
  std::optional<std::string> Undo() {
    const auto is_user = [&] { return messages_.back().as_object().at("role").as_string() == "user"; };
    while (!messages_.empty() && messages_.back().as_object().at("role").as_string() != "system") {
      const bool user = is_user();
      std::string content(messages_.back().as_object().at("content").as_string());
      messages_.pop_back();
      if (user) return content;
    }
    return std::nullopt;
  }

  // Streams the answer to stdout. After an error the question is not part of the conversation.
  Result<void> Ask(const std::string& question) {
    messages_.push_back(json::object{{"role", "user"}, {"content", question}});
    Result<void> answered = Answer();
    if (!answered) messages_.pop_back();
    return answered;
  }

 private:
  Result<void> Answer() {
    GenerationRequest request;
    request.params = params_;
    const std::string prompt =
        TRY(chat_template_.Render(json::object{{"messages", messages_}, {"add_generation_prompt", true}}));
    request.prompt = TRY(tokenizer_.Encode(prompt, {.special = EncodeOptions::Special::kParse}));
    const TextResult result = TRY(GenerateText(
        session_, tokenizer_, request,
        [](uint32_t, std::string_view piece) {
          std::fwrite(piece.data(), 1, piece.size(), stdout);
          std::fflush(stdout);
        },
        InterruptFlag()));
    ClearInterrupt();
    std::fputc('\n', stdout);
    std::fflush(stdout);
    const GeneratedText& text = result.texts[0];
    fmt::print(stderr, "[{}]\n",
               SpeedLine(result.counts.prompt_tokens, result.counts.cached_tokens, result.counts.prompt_seconds,
                         text.continuation.tokens.size(), result.counts.generation_seconds));
    if (text.continuation.reason == FinishReason::kContext) {
      fmt::print(stderr, "[the context is full: /reset begins anew]\n");
    }
    messages_.push_back(json::object{{"role", "assistant"}, {"content", text.text}});
    return {};
  }

  const Tokenizer& tokenizer_;
  const ChatTemplate& chat_template_;
  SamplingParams params_;
  GenerationSession session_;
  std::string system_;
  json::array messages_;
};

// False where the user wants to leave.
Result<bool> RunCommand(Conversation& conversation, const std::string& line) {
  const size_t space = line.find(' ');
  const std::string name = line.substr(0, space), rest = space == std::string::npos ? "" : line.substr(space + 1);
  if (name == "/exit" || name == "/quit") return false;
  if (name == "/help") {
    fmt::print(stderr, "{}", kHelp);
  } else if (name == "/reset") {
    conversation.Reset();
    fmt::print(stderr, "[a new conversation]\n");
  } else if (name == "/system") {
    conversation.SetSystem(rest);
    fmt::print(stderr, "[a new conversation]\n");
  } else if (name == "/undo" || name == "/retry") {
    const std::optional<std::string> question = conversation.Undo();
    if (!question) {
      fmt::print(stderr, "[nothing was asked yet]\n");
    } else if (name == "/retry") {
      TRY(conversation.Ask(*question));
    } else {
      fmt::print(stderr, "[taken back: {}]\n", *question);
    }
  } else {
    fmt::print(stderr, "[there is no {}; /help lists what there is]\n", name);
  }
  return true;
}

Result<void> Run(const Options& options) {
  OpenModel open = TRY(OpenFromOptions(options.model, Precision::kFast));
  const std::unique_ptr<Tokenizer> tokenizer = TRY(OpenTokenizerOf(open.files));
  const ChatTemplate chat_template = TRY(OpenChatTemplate(open.files, *tokenizer));
  TextOptions text = options.text;
  if (!open.files.generation_config && !text.greedy && !text.temperature) {
    // Where nobody says how to choose: a conversation of likeliest tokens soon goes round in circles.
    text.temperature = kTemperature;
    if (!text.top_p) text.top_p = kTopP;
  }
  // What is said to someone who waits comes word by word; a search has nothing to show before its end.
  if (!text.beams) text.beams = 1;
  const SamplingParams params = TRY(text.Params(open.files, *tokenizer));
  CatchInterrupts();
  Conversation conversation(open, *tokenizer, chat_template, params, options.system);
  const bool terminal = IsTerminal(STDIN_FILENO);
  if (terminal) fmt::print(stderr, "{}: /help lists commands, Ctrl-D leaves.\n", options.model.model);
  LineReader reader;
  std::string line;
  for (;;) {
    if (terminal) {
      fmt::print(stderr, "\n> ");
      std::fflush(stderr);
    }
    const LineReader::Outcome outcome = reader.Next(line);
    if (outcome == LineReader::Outcome::kEnd) break;
    if (outcome == LineReader::Outcome::kInterrupted) {
      fmt::print(stderr, "\n[Ctrl-D or /exit leaves]");
      continue;
    }
    if (line.find_first_not_of(" \t\r\n") == std::string::npos) continue;
    if (line.starts_with('/')) {
      const Result<bool> more = RunCommand(conversation, line);
      if (more && !*more) break;
      if (!more) fmt::print(stderr, "[{}]\n", more.error().message);
      continue;
    }
    if (const Result<void> asked = conversation.Ask(line); !asked) {
      ClearInterrupt();
      const ErrorCode code = asked.error().code;
      const bool full = code == ErrorCode::kOutOfRange || code == ErrorCode::kResourceExhausted;
      fmt::print(stderr, "[{}{}]\n", asked.error().message, full ? "; /undo or /reset makes room" : "");
    }
  }
  if (terminal) fmt::print(stderr, "\n");
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(chat)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("chat", "Talk with a model in the terminal");
  options->model.AddTo(app);
  options->text.AddTo(app);
  app->add_option("-s,--system", options->system, "How the model should behave");
  app->footer("Example:\n  bothy chat model.gguf --system \"You answer in one sentence.\"");
  runner.Set(app, [options] { return Run(*options); });
}
