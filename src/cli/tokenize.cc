// bothy tokenize: text to tokens and back.
#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <string>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/terminal.h"
#include "codec/json.h"
#include "text/open_tokenizer.h"

namespace bothy::cli {
namespace {

constexpr uint64_t kMaxText = uint64_t{1} << 31;

struct Options {
  std::string model;
  std::optional<std::string> prompt, file;
  bool jsonl = false;
  bool special = false;
  bool plain_text = false;
  bool decode = false;
  bool skip_special = false;

  EncodeOptions ForEncoding() const {
    return {.add_special_tokens = special,
            .special = plain_text ? EncodeOptions::Special::kText : EncodeOptions::Special::kAsReference};
  }
};

Result<std::string> ReadInput(const Options& options) {
  if (options.prompt) return *options.prompt;
  if (options.file && *options.file != "-") {
    const std::unique_ptr<ByteSource> source = TRY(OpenFile(*options.file));
    return source->ReadAll(kMaxText);
  }
  if (IsTerminal(0)) {
    fmt::print(stderr, "Type the {} and end with Ctrl-D.\n", options.decode ? "tokens' ids" : "text");
  }
  return ReadStandardInput();
}

json::object ToJson(const Tokenizer& tokenizer, const Encoding& encoding) {
  json::array ids, offsets, tokens;
  ids.reserve(encoding.ids.size());
  offsets.reserve(encoding.ids.size());
  tokens.reserve(encoding.ids.size());
  for (size_t i = 0; i < encoding.ids.size(); i++) {
    ids.push_back(encoding.ids[i]);
    offsets.push_back(json::array{encoding.offsets[i].begin, encoding.offsets[i].end});
    tokens.emplace_back(tokenizer.Piece(encoding.ids[i]));
  }
  return {{"ids", std::move(ids)}, {"offsets", std::move(offsets)}, {"tokens", std::move(tokens)}};
}

// The ids of a JSON array, or of the member "ids" of what encoding puts out.
Result<std::vector<TokenId>> IdsOf(const json::value& line) {
  const json::object* object = line.if_object();
  const json::array* array = object != nullptr ? json::FindArray(*object, "ids") : line.if_array();
  if (array == nullptr) return Fail(ErrorCode::kCorrupt, "expected an array of ids");
  std::vector<TokenId> ids;
  for (const json::value& value : *array) {
    boost::json::error_code error;
    const auto id = value.to_number<TokenId>(error);
    if (error) return Fail(ErrorCode::kCorrupt, "expected an array of ids");
    ids.push_back(id);
  }
  return ids;
}

// What stands in line `line` of the input becomes a line of the output.
Result<std::string> ConvertLine(const Tokenizer& tokenizer, const Options& options, std::string_view line) {
  const json::value value = TRY(json::Parse(line, "JSON"));
  if (options.decode) {
    const std::vector<TokenId> ids = TRY(IdsOf(value));
    return json::Serialize(json::string(tokenizer.Decode(ids, options.skip_special)));
  }
  if (!value.is_string()) return Fail(ErrorCode::kCorrupt, "expected a JSON string");
  const std::string_view text = value.get_string();
  return json::Serialize(ToJson(tokenizer, TRY(tokenizer.EncodeWithOffsets(text, options.ForEncoding()))));
}

Result<void> ConvertLines(const Tokenizer& tokenizer, const Options& options, std::string_view input) {
  for (size_t number = 1; !input.empty(); number++) {
    const size_t end = std::min(input.find('\n'), input.size());
    const std::string_view line = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string out = TRY_CONTEXT(fmt::format("line {}", number), ConvertLine(tokenizer, options, line)) + "\n";
    std::fwrite(out.data(), 1, out.size(), stdout);
  }
  return {};
}

// Numbers with anything but digits between them.
Result<std::vector<TokenId>> ParseIds(std::string_view text) {
  std::vector<TokenId> ids;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    if (std::string_view(" \t\r\n,;[]").find(*at) != std::string_view::npos) {
      at++;
      continue;
    }
    TokenId id = 0;
    const auto [next, error] = std::from_chars(at, end, id);
    if (error != std::errc()) {
      return Fail(ErrorCode::kInvalidArgument, "\"{}\" is not the id of a token",
                  std::string_view(at, static_cast<size_t>(end - at)).substr(0, 20));
    }
    ids.push_back(id);
    at = next;
  }
  return ids;
}

Result<void> Run(const Options& options) {
  const std::unique_ptr<Tokenizer> tokenizer = TRY(OpenTokenizer(TRY(ResolveModel(options.model))));
  if (options.jsonl && !options.prompt && (!options.file || *options.file == "-")) {
    // Line by line, so that a program can keep talking to us.
    std::string line;
    for (size_t number = 1; std::getline(std::cin, line); number++) {
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      const std::string out =
          TRY_CONTEXT(fmt::format("line {}", number), ConvertLine(*tokenizer, options, line)) + "\n";
      std::fwrite(out.data(), 1, out.size(), stdout);
      if (std::cin.rdbuf()->in_avail() == 0) std::fflush(stdout);
    }
    return {};
  }
  const std::string input = TRY(ReadInput(options));
  if (options.jsonl) return ConvertLines(*tokenizer, options, input);
  if (options.decode) {
    const std::vector<TokenId> ids = TRY(ParseIds(input));
    const std::string text = tokenizer->Decode(ids, options.skip_special);
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (IsTerminal(1)) std::fputc('\n', stdout);
    return {};
  }
  const Encoding encoding = TRY(tokenizer->EncodeWithOffsets(input, options.ForEncoding()));
  for (size_t i = 0; i < encoding.ids.size(); i++) {
    const TokenId id = encoding.ids[i];
    const std::string place = fmt::format("{}-{}", encoding.offsets[i].begin, encoding.offsets[i].end);
    fmt::print("{:>8}  {:<13} {}\n", id, place, json::Serialize(json::string(tokenizer->Piece(id))));
  }
  fmt::print(stderr, "[{} tokens]\n", encoding.ids.size());
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(tokenize)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("tokenize", "Show the tokens of a text, or the text of tokens");
  app->add_option("model", options->model,
                  "A model, or a folder or file that holds only a tokenizer (tokenizer.json, tokenizer.model, ...)")
      ->required();
  auto* prompt = app->add_option("-p,--prompt", options->prompt, "The text, or with --decode the ids");
  app->add_option("-f,--file", options->file, "A file with it (- for standard input, the default)")->excludes(prompt);
  app->add_flag("--jsonl", options->jsonl,
                "Read a JSON string a line, write {\"ids\",\"offsets\",\"tokens\"} a line; offsets are pairs of code "
                "points. With --decode read ids, write strings");
  app->add_flag("--special", options->special, "Add the special tokens that the model wants around a text");
  app->add_flag("--plain-text", options->plain_text, "Take special tokens that stand in the text for text");
  auto* decode = app->add_flag("--decode", options->decode, "Ids to text");
  app->add_flag("--skip-special", options->skip_special, "Leave special tokens out of the text")->needs(decode);
  app->footer(
      "Examples:\n"
      "  bothy tokenize model.gguf -p \"Hello world\"\n"
      "  echo '\"Hello world\"' | bothy tokenize ./tokenizer.json --jsonl\n"
      "  bothy tokenize model.gguf --decode -p \"19556 905\"");
  runner.Set(app, [options] { return Run(*options); });
}
