// What a repository's .gitattributes files say about a path: the hub asks whether it goes to Git LFS (filter=lfs).
// Behaviour of git 2.39 (gitattributes(5), attr.c), with macros.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hub/path_pattern.h"

namespace bothy {

class GitAttributes {
 public:
  static constexpr size_t kMaxLineBytes = 2048;  // git passes over a longer line
  static constexpr size_t kMaxMacros = 100;      // further ones are passed over; git has no limit

  GitAttributes();

  // The text of `folder`/.gitattributes ("" is the root), the root's first and a folder's before those inside of it.
  // Lines that git would warn about are passed over.
  void Add(std::string_view folder, std::string_view text);

  // As `git check-attr` prints it: "set", "unset", "unspecified", or the value that was given.
  std::string Find(std::string_view path, std::string_view attribute) const;

  bool IsLarge(std::string_view path) const { return Find(path, "filter") == "lfs"; }

  uint64_t bytes() const { return bytes_; }  // of all texts: what asking for one byte of a path costs at most

 private:
  struct Assignment {
    uint32_t attribute;  // index into names_
    std::string value;   // as Find gives it
  };
  struct Rule {
    PathPattern pattern;
    std::vector<Assignment> assignments;
  };
  struct File {
    std::string folder;
    std::vector<Rule> rules;
  };
  class Answer;

  void AddLine(File& file, std::string_view line);
  bool ParseAssignments(std::string_view text, std::vector<Assignment>& assignments);
  uint32_t IndexOf(std::string_view name);

  std::map<std::string, uint32_t, std::less<>> names_;
  std::map<uint32_t, std::vector<Assignment>> macros_;
  std::vector<File> files_;
  uint64_t bytes_ = 0;
};

}  // namespace bothy
