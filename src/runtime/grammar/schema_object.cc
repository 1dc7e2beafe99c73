#include <algorithm>
#include <map>
#include <set>

#include "runtime/grammar/schema_check.h"
#include "runtime/grammar/schema_parts.h"

namespace bothy {
namespace {

using Node = Grammar::Node;
using Rule = Grammar::Rule;

class ObjectWriter {
 public:
  ObjectWriter(const ObjectFacts& facts, JsonGrammar& json, PatternSets& patterns, SchemaBudget& budget,
               const RuleForSchemas& rule_for)
      : facts_(facts),
        json_(json),
        grammar_(json.grammar()),
        patterns_(patterns),
        budget_(budget),
        rule_for_(rule_for) {}

  Result<Node> Run() {
    ListNames();
    TRY(CollectPatterns());
    TRY(budget_.Spend(listed_.size() * (1 + facts_.views.size())));
    std::vector<Rule> pairs;
    for (const std::string& name : listed_) pairs.push_back(TRY(ListedPair(name)));
    const std::optional<Rule> other = TRY(OtherPair());
    TRY(CheckCounts(other.has_value()));
    if (facts_.min_properties > facts_.max_properties) return grammar_.Never();
    return listed_.empty() ? OnlyOthers(other) : Listed(pairs, other);
  }

 private:
  void ListNames() {
    const auto add = [&](std::string_view name) {
      if (known_.emplace(name).second) listed_.emplace_back(name);
    };
    for (const ObjectView& view : facts_.views) {
      if (view.properties == nullptr) continue;
      for (const auto& member : *view.properties) add(member.key());
    }
    for (const std::string& name : facts_.required) add(name);
    required_.insert(facts_.required.begin(), facts_.required.end());
  }

  Result<void> CollectPatterns() {
    for (const ObjectView& view : facts_.views) {
      if (view.patterns == nullptr) continue;
      for (const auto& member : *view.patterns) {
        if (name_patterns_.contains(member.key())) continue;
        if (name_patterns_.size() == kMaxNamePatterns) {
          return Fail(ErrorCode::kInvalidArgument, "\"patternProperties\" has more than {} patterns", kMaxNamePatterns);
        }
        const StringSet* names = TRY_CONTEXT("\"patternProperties\"", patterns_.Of(member.key(), PatternUse::kSearch));
        TRY(budget_.Spend(names->size()));
        name_patterns_[member.key()] = names;
      }
    }
    return {};
  }

  Node Pair(Node name, Conjunction schemas) {
    return grammar_.Sequence(
        {name, grammar_.Literal(":"), json_.Space(), grammar_.Reference(rule_for_(std::move(schemas)))});
  }

  // Schemas of a property: `matches` tells which patterns of names are its own.
  Conjunction SchemasOf(const std::string* listed, const std::set<std::string_view>* matched) {
    Conjunction schemas;
    for (const ObjectView& view : facts_.views) {
      bool named = false;
      const auto take = [&](const json::value& schema) {
        schemas.push_back({&schema, false});
        named = true;
      };
      const json::value* own =
          listed != nullptr && view.properties != nullptr ? view.properties->if_contains(*listed) : nullptr;
      if (own != nullptr) take(*own);
      if (view.patterns != nullptr) {
        for (const auto& member : *view.patterns) {
          const std::string_view text = member.key();
          const bool matches = listed != nullptr ? name_patterns_.at(text)->Contains(*listed) : matched->contains(text);
          if (matches) take(member.value());
        }
      }
      if (!named && view.additional != nullptr) schemas.push_back({view.additional, false});
    }
    return schemas;
  }

  // What "propertyNames" leaves.
  Result<StringSet> AllowedNames() {
    StringSet allowed = StringSet::All();
    for (const json::value* schema : facts_.names) {
      if (const bool* simple = schema->if_bool()) {
        if (!*simple) allowed = StringSet();
        continue;
      }
      for (const auto& member : schema->get_object()) {
        const std::string_view keyword = member.key();
        const bool text = member.value().is_string();
        if (keyword == "pattern" && text) {
          allowed = TRY(allowed.And(*TRY(patterns_.Of(member.value().get_string(), PatternUse::kSearch))));
        } else if ((keyword == "minLength" || keyword == "maxLength") && member.value().is_int64() &&
                   member.value().get_int64() >= 0) {
          const auto length = static_cast<uint64_t>(member.value().get_int64());
          const bool least = keyword == "minLength";
          allowed = TRY(allowed.And(TRY(StringSet::OfLength(least ? length : 0, least ? kUnboundedLength : length))));
        } else if (keyword == "enum" && member.value().is_array()) {
          std::vector<std::string> words;
          for (const json::value& word : member.value().get_array()) {
            if (word.is_string()) words.emplace_back(word.get_string());
          }
          allowed = TRY(allowed.And(TRY(StringSet::Of(words))));
        } else if (keyword != "type" || member.value() != json::value("string")) {
          if (keyword != "description" && keyword != "title") {
            return Fail(ErrorCode::kInvalidArgument, "\"{}\" is not supported in \"propertyNames\"", keyword);
          }
        }
      }
    }
    return allowed;
  }

  Result<Rule> ListedPair(const std::string& name) {
    const Rule rule = grammar_.Declare("the property " + name);
    if (!facts_.names.empty()) {
      if (!allowed_) allowed_ = TRY(AllowedNames());
      if (!allowed_->Contains(name)) {
        grammar_.Define(rule, grammar_.Never());
        return rule;
      }
    }
    const Node written = grammar_.Literal(JsonGrammar::Quoted(name));
    grammar_.Define(rule, Pair(written, SchemasOf(&name, nullptr)));
    return rule;
  }

  // A property that is not listed; nothing where there can be none.
  Result<std::optional<Rule>> OtherPair() {
    bool wanted = listed_.empty() || !facts_.names.empty();
    for (const ObjectView& view : facts_.views) {
      wanted = wanted || view.additional != nullptr || view.patterns != nullptr;
    }
    const auto forbids = [](const ObjectView& view) {
      return view.additional != nullptr && view.additional->is_bool() && !view.additional->get_bool();
    };
    if (!wanted || (name_patterns_.empty() && std::ranges::any_of(facts_.views, forbids))) return std::nullopt;
    if (listed_.empty() && name_patterns_.empty() && facts_.names.empty()) {
      return grammar_.Add("a property", Pair(json_.String(0, Grammar::kUnbounded), SchemasOf(nullptr, &kNone)));
    }
    StringSet names = TRY_CONTEXT("\"propertyNames\"", AllowedNames());
    if (!listed_.empty()) names = TRY(names.Without(TRY(StringSet::Of(listed_))));
    // A kind of name for each set of patterns that it matches and no others.
    std::vector<Node> kinds;
    for (size_t set = 0; set < size_t{1} << name_patterns_.size(); set++) {
      std::set<std::string_view> matched;
      StringSet kind = names;
      size_t i = 0;
      for (const auto& [text, of_pattern] : name_patterns_) {
        if ((set >> i++ & 1) != 0) {
          matched.insert(text);
          kind = TRY(kind.And(*of_pattern));
        } else {
          kind = TRY(kind.Without(*of_pattern));
        }
      }
      TRY(budget_.Spend(kind.size()));
      if (kind.empty()) continue;
      const Rule rule = kind.WriteTo(grammar_, [&](const CodePointSet& c) { return json_.Character(c); });
      const Node name = grammar_.Sequence({grammar_.Literal("\""), grammar_.Reference(rule), grammar_.Literal("\"")});
      kinds.push_back(Pair(name, SchemasOf(nullptr, &matched)));
    }
    if (kinds.empty()) return std::nullopt;
    return grammar_.Add("a property", grammar_.Choice(std::move(kinds)));
  }

  // Properties that may or may not be there are not counted, but for whether there is any; nor is it known whether the
  // names of others differ.
  Result<void> CheckCounts(bool others) const {
    const bool min_holds = facts_.min_properties <= std::max<size_t>(required_.size(), 1);
    if (!min_holds) {
      return Fail(ErrorCode::kInvalidArgument,
                  "\"minProperties\" above 1 is not supported, but for as many as are required");
    }
    const bool max_holds = facts_.max_properties >= listed_.size() &&
                           (facts_.max_properties == ~uint64_t{0} || !others || listed_.empty());
    if (!max_holds && facts_.max_properties != 0) {
      return Fail(ErrorCode::kInvalidArgument,
                  "\"maxProperties\" is not supported beside properties that may or may not be there");
    }
    return {};
  }

  Node Comma(Rule pair) { return grammar_.Sequence({grammar_.Literal(","), json_.Space(), grammar_.Reference(pair)}); }

  Node Open() { return grammar_.Sequence({grammar_.Literal("{"), json_.Space()}); }
  Node Close() { return grammar_.Sequence({json_.Space(), grammar_.Literal("}")}); }
  Node EmptyObject() { return json_.Enclosed("{", std::nullopt, "}"); }

  Node OnlyOthers(std::optional<Rule> other) {
    const uint64_t max = facts_.max_properties;
    if (!other || max == 0) return facts_.min_properties == 0 ? EmptyObject() : grammar_.Never();
    const uint32_t more = max >= Grammar::kUnbounded ? Grammar::kUnbounded : static_cast<uint32_t>(max - 1);
    const Node list = grammar_.Sequence({grammar_.Reference(*other), grammar_.Repeat(Comma(*other), 0, more)});
    const Node some = grammar_.Sequence({Open(), list, Close()});
    return facts_.min_properties > 0 ? some : grammar_.Choice({some, EmptyObject()});
  }

  // rest[i]: what may follow when some property was written and the i-th is next; first[i]: when none was. The i-th is
  // written or, where it may be missing, passed over.
  Node Listed(const std::vector<Rule>& pairs, std::optional<Rule> other) {
    if (facts_.max_properties == 0) return required_.empty() ? EmptyObject() : grammar_.Never();
    const size_t n = pairs.size();
    std::vector<Rule> rest(n + 1), first(n + 1);
    for (size_t i = 0; i <= n; i++) {
      rest[i] = grammar_.Declare("the rest of an object");
      first[i] = grammar_.Declare("the properties of an object");
    }
    const auto others = [&] { return grammar_.Repeat(Comma(*other), 0, Grammar::kUnbounded); };
    grammar_.Define(rest[n], other ? grammar_.Sequence({others(), Close()}) : Close());
    std::vector<Node> none = {};
    if (facts_.min_properties == 0) none.push_back(grammar_.Literal("}"));
    if (other) none.push_back(grammar_.Sequence({grammar_.Reference(*other), others(), Close()}));
    grammar_.Define(first[n], grammar_.Choice(std::move(none)));
    for (size_t i = 0; i < n; i++) {
      const bool may_be_missing = !required_.contains(listed_[i]);
      const auto with = [&](Node pair, Rule without) {
        const Node written = grammar_.Sequence({pair, grammar_.Reference(rest[i + 1])});
        return may_be_missing ? grammar_.Choice({written, grammar_.Reference(without)}) : written;
      };
      grammar_.Define(rest[i], with(Comma(pairs[i]), rest[i + 1]));
      grammar_.Define(first[i], with(grammar_.Reference(pairs[i]), first[i + 1]));
    }
    return grammar_.Sequence({Open(), grammar_.Reference(first[0])});
  }

  inline static const std::set<std::string_view> kNone;

  const ObjectFacts& facts_;
  JsonGrammar& json_;
  Grammar& grammar_;
  PatternSets& patterns_;
  SchemaBudget& budget_;
  const RuleForSchemas& rule_for_;
  std::vector<std::string> listed_;  // names that the schema knows, in its order
  std::set<std::string> known_;      // the same
  std::set<std::string> required_;
  std::map<std::string_view, const StringSet*> name_patterns_;  // of all views
  std::optional<StringSet> allowed_;
};

}  // namespace

Result<Node> WriteObject(const ObjectFacts& facts, JsonGrammar& json, PatternSets& patterns, SchemaBudget& budget,
                         const RuleForSchemas& rule_for) {
  return ObjectWriter(facts, json, patterns, budget, rule_for).Run();
}

}  // namespace bothy
