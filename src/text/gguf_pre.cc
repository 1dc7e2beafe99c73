#include "text/gguf_pre.h"

#include <array>

#include "text/split_patterns.h"

// Names and meanings as llama.cpp has them (src/llama-vocab.cpp, 2025 and later). Where it goes round what its own
// regular expressions cannot do, the pattern is that of the models' tokenizer.json.
namespace bothy {
namespace {

#define BOTHY_KANJI_AND_KANA R"([一-龥぀-ゟ゠-ヿ]+)"
#define BOTHY_DEEPSEEK3_WORDS                                                               \
  R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)" \
  R"(| ?[\p{P}\p{S}]+)"
#define BOTHY_SENTENCE R"( ?[^(\s|.,!?…。，、।۔،)]+)"

constexpr std::string_view kGpt2[] = {kGpt2Pattern};
constexpr std::string_view kDigitsThenGpt2[] = {R"(\p{N})", kGpt2Pattern};
constexpr std::string_view kLlama3[] = {kLlama3Pattern};
constexpr std::string_view kQwen2[] = {kQwen2Pattern};
constexpr std::string_view kDefault[] = {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2Pattern, R"(\p{N}+)", "[0-9][0-9][0-9]"};
constexpr std::string_view kFalcon[] = {R"([\p{P}\$\+<=>\^~\|`]+)", kGpt2Pattern, "[0-9][0-9][0-9]"};
constexpr std::string_view kJais2[] = {BOTHY_CONTRACTIONS
                                       "|" BOTHY_WORD R"(|\p{N}{1,3}|)" BOTHY_OTHER
                                       R"(|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S))"
                                       R"(|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1})"};
constexpr std::string_view kDeepseekLlm[] = {
    "[\r\n]",
    R"(\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴ)"
    R"(ᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓)"
    R"(𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+)",
    R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)",
    R"(\s+$)",
    "[一-龥ࠀ-一가-퟿]+",
    R"(\p{N}+)"};
constexpr std::string_view kDeepseekCoder[] = {"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", "[一-龥ࠀ-一가-퟿]+",
                                               R"(\p{N})"};
constexpr std::string_view kDeepseek3[] = {R"(\p{N}{1,3})", BOTHY_KANJI_AND_KANA,
                                           BOTHY_DEEPSEEK3_WORDS "[\r\n]*|" BOTHY_SPACES};
constexpr std::string_view kSpark[] = {R"(\p{N}{1,3})", BOTHY_KANJI_AND_KANA,
                                       BOTHY_DEEPSEEK3_WORDS
                                       "|[\r\n]|"
                                       R"(\s+(?!\S)|\s+)",
                                       R"(\p{N})"};
constexpr std::string_view kYoutu[] = {
    "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+",
    BOTHY_CASED_WORD(BOTHY_CONTRACTIONS "?") R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" BOTHY_SPACES};
constexpr std::string_view kQwen35[] = {
    BOTHY_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|)" BOTHY_SPACES};
constexpr std::string_view kBloom[] = {BOTHY_SENTENCE};
constexpr std::string_view kViking[] = {BOTHY_SENTENCE, R"(\p{N})"};
constexpr std::string_view kTekken[] = {kTekkenPattern};
constexpr std::string_view kGpt4o[] = {kGpt4oPattern};
constexpr std::string_view kChameleon[] = {"<sentinel:[0-9]+>",       "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
                                           R"(([\t\n]|    |  ))",     R"(\p{N})",
                                           R"([\p{P}!-/:-@\[-`{-~])", kGpt2Pattern};
constexpr std::string_view kTinyAya[] = {R"(\d{1,3}(?=(?:\d{3})*\b))", kGpt4oPattern};
constexpr std::string_view kKimi[] = {
    R"([\p{Han}]+)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+)" BOTHY_CONTRACTIONS
    R"(?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*)" BOTHY_CONTRACTIONS
    R"(?|\p{N}{1,3}|)" BOTHY_OTHER "|" BOTHY_SPACES};
constexpr std::string_view kSuperBpe[] = {R"(\p{N}+)", R"((?=(\d{3})+(?!\d)))"};
constexpr std::string_view kBailing[] = {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N})"
                                         R"(| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)"};
constexpr std::string_view kSeedCoder[] = {BOTHY_CONTRACTIONS "|" BOTHY_WORD
                                                              R"(|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|)" BOTHY_SPACES};
constexpr std::string_view kUfakzeka[] = {BOTHY_WORD R"(|\p{N}|)" BOTHY_OTHER "|" BOTHY_SPACES};
constexpr std::string_view kAfmoe[] = {
    R"(\d{1,3}(?=(?:\d{3})*(?!\d)))",  // digits in threes, counted from the right
    "[一-鿿㐀-䶿豈-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ]+",
    BOTHY_DEEPSEEK3_WORDS R"([\r\n]*|)" BOTHY_SPACES};
constexpr std::string_view kLaguna[] = {"[^\n]+|[\n]+", kQwen2Pattern};
constexpr std::string_view kExaoneMoe[] = {BOTHY_CONTRACTIONS
                                           R"(|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N})"
                                           R"(| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)"};
constexpr std::string_view kLines[] = {"[^\n]+|[\n]+"};
constexpr std::string_view kMiniCpm5[] = {R"(\p{N}{1,3})",
                                          BOTHY_CONTRACTIONS "|" BOTHY_WORD R"(|\p{N}+|)" BOTHY_OTHER "|" BOTHY_SPACES};
constexpr std::string_view kWhitespace[] = {R"(\S+)"};

constexpr std::array kPres = {
    GgufPre{"default", kDefault},
    GgufPre{"llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", kLlama3, true, true},
    GgufPre{"glm4 glm5", kLlama3, true},
    GgufPre{"dbrx smaug-bpe chatglm-bpe", kLlama3},
    GgufPre{"smollm starcoder refact command-r codeshell exaone exaone4 minerva-7b mellum2", kDigitsThenGpt2},
    GgufPre{"gpt-2 phi-2 jina-es jina-de gigachat jina-v2-es jina-v2-de a.x-4.0 mellum modern-bert mpt olmo jais "
            "trillion granite-docling jina-v1-en jina-v2-code roberta-bpe",
            kGpt2},
    GgufPre{"qwen2 deepseek-r1-qwen kormo f2llmv2 stablelm2 hunyuan solar-open grok-2 megrez", kQwen2},
    GgufPre{"qwen35", kQwen35},
    GgufPre{"falcon", kFalcon},
    GgufPre{"deepseek-llm", kDeepseekLlm},
    GgufPre{"deepseek-coder", kDeepseekCoder},
    GgufPre{"deepseek-v3 hunyuan-dense joyai-llm hy_v4", kDeepseek3},
    GgufPre{"spark2_5", kSpark},
    GgufPre{"youtu", kYoutu, true},
    GgufPre{"jais-2", kJais2},
    GgufPre{"poro-chat bloom gpt3-finnish", kBloom},
    GgufPre{"viking", kViking},
    GgufPre{"tekken", kTekken, true, true},
    GgufPre{"chameleon", kChameleon, false, true},
    GgufPre{"gpt-4o llama4 kanana2 talkie minimax-m2", kGpt4o},
    GgufPre{"granite-embed-multi-97m", kGpt4o, true},
    GgufPre{"tiny_aya cohere2moe", kTinyAya},
    GgufPre{"kimi-k2", kKimi},
    GgufPre{"superbpe", kSuperBpe},
    GgufPre{"bailingmoe bailingmoe2 llada-moe", kBailing},
    GgufPre{"seed-coder", kSeedCoder},
    GgufPre{"ufakzeka", kUfakzeka},
    GgufPre{"afmoe", kAfmoe},
    GgufPre{"laguna", kLaguna},
    GgufPre{"exaone-moe", kExaoneMoe},
    GgufPre{"minicpm5", kMiniCpm5, true},
    GgufPre{"gemma4 granite-embed-multi-311m sarvam-moe", kLines, false, false, true},
    GgufPre{"whitespace", kWhitespace, false, false, true},
};

}  // namespace

const GgufPre* FindGgufPre(std::string_view name) {
  for (const GgufPre& pre : kPres) {
    for (std::string_view rest = pre.names; !rest.empty();) {
      const size_t space = rest.find(' ');
      if (rest.substr(0, space) == name) return &pre;
      rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
    }
  }
  return nullptr;
}

}  // namespace bothy
