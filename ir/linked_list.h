#pragma once
// An intrusive list: its members hold their neighbours, so that adding and dropping one needs no memory, and leaves the iterators
// at all others valid.

#include <cstddef>
#include <iterator>
#include <type_traits>

namespace weft::ir {

/// What a member of a list derives from.
template <class Member>
class Linked {
  template <class, class>
  friend class LinkedList;
  Member *before_ = nullptr, *behind_ = nullptr;
};

/// `Seen`: what walking over the list gives, a pointer or a reference to each member.
template <class Member, class Seen>
class LinkedList {
 public:
  class Iterator {
   public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = std::remove_cvref_t<Seen>;
    using difference_type = std::ptrdiff_t;
    using pointer = const value_type*;
    using reference = Seen;

    Iterator() = default;
    Iterator(Member* at, const LinkedList* of) : at_(at), of_(of) {}
    Seen operator*() const { return seen(at_); }
    pointer operator->() const
      requires(!std::is_pointer_v<Seen>)
    {
      return at_;
    }
    Iterator& operator++() { return at_ = at_->behind_, *this; }
    Iterator& operator--() { return at_ = at_ ? at_->before_ : of_->last_, *this; }
    Iterator operator++(int) {
      const Iterator now = *this;
      return ++*this, now;
    }
    Iterator operator--(int) {
      const Iterator now = *this;
      return --*this, now;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    Member* at_ = nullptr;  // null: behind the last
    const LinkedList* of_ = nullptr;
  };

  LinkedList() = default;
  LinkedList(const LinkedList&) = delete;
  LinkedList& operator=(const LinkedList&) = delete;

  Iterator begin() const { return {first_, this}; }
  Iterator end() const { return {nullptr, this}; }
  auto rbegin() const { return std::reverse_iterator(end()); }
  auto rend() const { return std::reverse_iterator(begin()); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Seen front() const { return seen(first_); }
  Seen back() const { return seen(last_); }
  /// The member right before this one, or the last one when null; null for the first.
  Member* previous(const Member* member) const { return member ? member->before_ : last_; }

  /// Puts it right before `before`, or last when null.
  void link(Member& member, Member* before = nullptr) {
    member.behind_ = before;
    member.before_ = previous(before);
    (member.before_ ? member.before_->behind_ : first_) = &member;
    (before ? before->before_ : last_) = &member;
    ++size_;
  }
  void unlink(Member& member) {
    (member.before_ ? member.before_->behind_ : first_) = member.behind_;
    (member.behind_ ? member.behind_->before_ : last_) = member.before_;
    --size_;
  }

 private:
  static Seen seen(Member* member) {
    if constexpr (std::is_pointer_v<Seen>) return member;
    else return *member;
  }

  Member *first_ = nullptr, *last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace weft::ir
