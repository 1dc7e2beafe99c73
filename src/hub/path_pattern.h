// Patterns of .gitattributes and .gitignore: git's wildmatch with slashes kept apart. "*" and "?" stay within a name,
// "**" between slashes is any number of folders, "[a-z]" and "[[:digit:]]" are one character, "\" takes its next
// character literally.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bothy {

class PathPattern {
 public:
  // As it stands in a file, without what only that file's format knows ("!", comments). A pattern that no path can
  // match (a class without its end, an unknown "[:name:]") is a pattern that matches nothing, as it is for git.
  explicit PathPattern(std::string_view text);

  // `path` is relative to the folder that the pattern's file lies in. The time is bounded by the length of the pattern
  // times that of the path, and needs no memory.
  bool Matches(std::string_view path, bool is_folder) const;

 private:
  using Class = std::bitset<256>;
  enum class Kind : uint8_t { kCharacter, kAnyCharacter, kAnyText, kClass };
  struct Token {
    Kind kind;
    uint8_t character = 0;
    uint32_t index = 0;  // of a class
  };
  struct Segment {  // what is between slashes
    bool any_folders = false;
    std::vector<Token> tokens;
  };

  bool Compile(std::string_view text);
  bool CompileClass(std::string_view text, size_t& at);
  bool MatchesCharacter(const Token& token, char c) const;
  bool MatchesName(const Segment& segment, std::string_view name) const;
  bool MatchesPath(std::string_view path) const;

  bool possible_ = true;
  bool anchored_ = false;      // holds a slash: matched from the first name on; otherwise only the last name counts
  bool only_folders_ = false;  // ends with a slash
  std::vector<Segment> segments_;
  std::vector<Class> classes_;
};

}  // namespace bothy
