#include "cli/config_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <optional>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace bothy::cli {
namespace {

// Far more than anybody writes by hand.
constexpr uintmax_t kMaxConfigBytes = 1 << 20;

std::string OptionName(std::string key) {
  std::ranges::replace(key, '_', '-');
  return "--" + key;
}

std::string KeyName(const CLI::Option& option) {
  std::string key = option.get_lnames().front();
  std::ranges::replace(key, '-', '_');
  return key;
}

bool IsConfigurable(const CLI::Option& option) {
  return !option.get_lnames().empty() && !option.get_envname().empty() && option.get_lnames().front() != "config";
}

bool IsList(const CLI::Option& option) { return option.get_items_expected_max() > 1; }

// As the command line would have it.
std::optional<std::string> ValueText(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* whole = node.as_integer()) return fmt::format("{}", whole->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

class Reader {
 public:
  Reader(CLI::App& app, const std::filesystem::path& path, UnknownKeys unknown)
      : app_(app), path_(path), unknown_(unknown) {}

  const std::set<const CLI::Option*>& given() const { return given_; }

  Result<void> Read(const toml::table& table, const std::string& section) {
    for (const auto& [name, node] : table) {
      const std::string key = section + std::string(name.str());
      if (const toml::table* inner = node.as_table()) {
        TRY(Read(*inner, key + "_"));
      } else {
        TRY(Set(key, node));
      }
    }
    return {};
  }

 private:
  Result<void> Set(const std::string& key, const toml::node& node) {
    CLI::Option* option = app_.get_option_no_throw(OptionName(key));
    if (option == nullptr || !IsConfigurable(*option)) {
      if (unknown_ == UnknownKeys::kIgnored) return {};
      std::vector<std::string> known;
      for (const CLI::Option* each : app_.get_options()) {
        if (IsConfigurable(*each)) known.push_back(KeyName(*each));
      }
      return Fail(ErrorCode::kInvalidArgument, "{}, line {}: unknown key \"{}\"; there are {}", path_.string(),
                  node.source().begin.line, key, fmt::join(known, ", "));
    }
    if (option->count() > 0) return {};
    given_.insert(option);
    const toml::array* list = node.as_array();
    if (list != nullptr && !IsList(*option)) {
      return Fail(ErrorCode::kInvalidArgument, "{}, line {}: {} takes one value, not a list", path_.string(),
                  node.source().begin.line, key);
    }
    if (list == nullptr) return Add(*option, key, node);
    for (const toml::node& element : *list) TRY(Add(*option, key, element));
    return {};
  }

  Result<void> Add(CLI::Option& option, const std::string& key, const toml::node& node) {
    const auto text = ValueText(node);
    if (!text) {
      return Fail(ErrorCode::kInvalidArgument, "{}, line {}: {} takes a text or a number", path_.string(),
                  node.source().begin.line, key);
    }
    try {
      option.add_result(*text);
      option.run_callback();
    } catch (const CLI::ParseError& error) {
      return Fail(ErrorCode::kInvalidArgument, "{}, line {}: {}", path_.string(), node.source().begin.line,
                  error.what());
    }
    return {};
  }

  CLI::App& app_;
  const std::filesystem::path& path_;
  const UnknownKeys unknown_;
  std::set<const CLI::Option*> given_;
};

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c >= 0 && c < ' ') {
      quoted += fmt::format("\\u{:04x}", c);
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// A configuration is shown to others; what opens doors is not: tokens, keys, and passwords in addresses, before the
// last "@" of the authority or as a parameter.
std::string WithoutSecret(const std::string& key, std::string value) {
  constexpr std::string_view kHidden = "(hidden)", kParameter = "password=";
  if ((key.ends_with("token") || key.ends_with("api_key")) && !value.empty()) return std::string(kHidden);
  if (const size_t parameter = value.find(kParameter); parameter != std::string::npos) {
    const size_t begin = parameter + kParameter.size();
    value.replace(begin, std::min(value.find('&', begin), value.size()) - begin, kHidden);
  }
  const size_t scheme = value.find("://");
  if (scheme == std::string::npos) return value;
  const size_t begin = scheme + 3;
  const size_t at = value.rfind('@', value.find_first_of("/?", begin));
  const size_t colon = value.find(':', begin);
  if (at != std::string::npos && at > begin && colon < at) value.replace(colon + 1, at - colon - 1, kHidden);
  return value;
}

std::vector<std::string> Values(const CLI::Option& option) {
  if (option.count() > 0) return option.results();
  std::string text = option.get_default_str();
  if (!IsList(option)) return {text};
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::vector<std::string> values;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    values.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return values;
}

std::string Line(const CLI::Option& option) {
  const std::string key = KeyName(option);
  const bool bare = option.get_type_name().starts_with("INT") || option.get_type_name().starts_with("UINT");
  std::vector<std::string> values;
  for (const std::string& value : Values(option)) {
    const bool digits = value.find_first_not_of("-0123456789") == std::string::npos && !value.empty();  // no "4GiB"
    values.push_back(bare && digits ? value : Quoted(WithoutSecret(key, value)));
  }
  const std::string text = fmt::format("{}", fmt::join(values, ", "));
  return fmt::format("{} = {}", key, IsList(option) ? "[" + text + "]" : text);
}

}  // namespace

Result<std::set<const CLI::Option*>> ReadConfigFile(CLI::App& app, const std::filesystem::path& path,
                                                    UnknownKeys unknown) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return Fail(ErrorCode::kNotFound, "{}: {}", path.string(), error.message());
  if (size > kMaxConfigBytes) {
    return Fail(ErrorCode::kInvalidArgument, "{}: {} bytes, more than the {} that a configuration may have",
                path.string(), size, kMaxConfigBytes);
  }
  const toml::parse_result parsed = toml::parse_file(path.string());
  if (!parsed) {
    return Fail(ErrorCode::kInvalidArgument, "{}, line {}: {}", path.string(), parsed.error().source().begin.line,
                parsed.error().description());
  }
  Reader reader(app, path, unknown);
  TRY(reader.Read(parsed.table(), ""));
  return reader.given();
}

std::string ConfigText(const CLI::App& app, const std::set<const CLI::Option*>& from_file) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (!IsConfigurable(*option)) continue;
    const char* environment = std::getenv(option->get_envname().c_str());
    std::string from = "the command line";
    if (option->count() == 0) {
      from = "no one: this is the default";
    } else if (from_file.contains(option)) {
      from = "this file";
    } else if (environment != nullptr && *environment != '\0') {
      from = option->get_envname();
    }
    text += fmt::format("# {}. Said by {}.\n{}\n\n", option->get_description(), from, Line(*option));
  }
  return text;
}

}  // namespace bothy::cli
