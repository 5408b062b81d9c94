#pragma once
// PTX's types and state spaces.

#include <cstdint>
#include <optional>
#include <string_view>

namespace weft::test::ptx {

enum class Type : uint8_t { b8, b16, b32, b64, u8, u16, u32, u64, s8, s16, s32, s64, f16, bf16, f16x2, bf16x2, tf32, f32, f64, pred };

inline constexpr std::string_view type_names[] = {"b8",  "b16", "b32", "b64",  "u8",    "u16",    "u32",  "u64", "s8",  "s16",
                                                  "s32", "s64", "f16", "bf16", "f16x2", "bf16x2", "tf32", "f32", "f64", "pred"};

constexpr std::string_view name_of(Type type) { return type_names[static_cast<size_t>(type)]; }

constexpr std::optional<Type> type_from_name(std::string_view name) {
  for (size_t i = 0; i < std::size(type_names); ++i)
    if (type_names[i] == name) return static_cast<Type>(i);
  return std::nullopt;
}

/// 1 for a predicate, which has no memory.
constexpr unsigned bytes_of(Type type) {
  switch (type) {
    case Type::b8:
    case Type::u8:
    case Type::s8:
    case Type::pred: return 1;
    case Type::b16:
    case Type::u16:
    case Type::s16:
    case Type::f16:
    case Type::bf16: return 2;
    case Type::b32:
    case Type::u32:
    case Type::s32:
    case Type::f16x2:
    case Type::bf16x2:
    case Type::tf32:
    case Type::f32: return 4;
    case Type::b64:
    case Type::u64:
    case Type::s64:
    case Type::f64: return 8;
  }
  return 0;
}

constexpr bool is_signed(Type type) { return type == Type::s8 || type == Type::s16 || type == Type::s32 || type == Type::s64; }
constexpr bool is_unsigned(Type type) { return type == Type::u8 || type == Type::u16 || type == Type::u32 || type == Type::u64; }
constexpr bool is_integer(Type type) { return is_signed(type) || is_unsigned(type); }
constexpr bool is_bits(Type type) { return type == Type::b8 || type == Type::b16 || type == Type::b32 || type == Type::b64; }

enum class Space : uint8_t { generic, global, shared, local, param, constant };

constexpr std::optional<Space> space_from_name(std::string_view name) {
  if (name == "global") return Space::global;
  if (name == "shared" || name == "shared::cta") return Space::shared;
  if (name == "local") return Space::local;
  if (name == "param" || name == "param::entry") return Space::param;
  if (name == "const") return Space::constant;
  return std::nullopt;
}

constexpr std::string_view name_of(Space space) {
  switch (space) {
    case Space::generic: return "generic";
    case Space::global: return "global";
    case Space::shared: return "shared";
    case Space::local: return "local";
    case Space::param: return "param";
    case Space::constant: return "const";
  }
  return "?";
}

}  // namespace weft::test::ptx
