// Tinderbox for C++17: RAII, strings and vectors, errors as exceptions.
//
//     tinderbox::Model model(tinderbox::read_file("movies.tbx"));
//     tinderbox::Session session(model, 20);
//     session.adapt({model.like(model.item("50")), model.dislike(model.item("313"))});
//     for (auto [item, score] : session.rank(10)) std::cout << score << ' ' << model.title(item) << '\n';
//
// A Model may be used by any number of threads, a Session by one at a time. A Session borrows its Model.
#ifndef TINDERBOX_HPP
#define TINDERBOX_HPP

#include "tinderbox.h"

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace tinderbox {

/// What the engine refuses; `what()` says what to do about it.
class Error : public std::runtime_error {
public:
    explicit Error(tbx_status status) : std::runtime_error(tbx_status_text(status)), status_(status) {}
    tbx_status status() const noexcept { return status_; }

private:
    tbx_status status_;
};

inline void check(tbx_status status) {
    if (status != TBX_STATUS_OK) {
        throw Error(status);
    }
}

using Interaction = tbx_interaction;
using Ranked = tbx_ranked;
using Reason = tbx_reason;

/// Memory that is aligned for a model file and for handles.
class Bytes {
public:
    Bytes() = default;
    explicit Bytes(std::size_t len) : words_(std::make_unique<word[]>(len / sizeof(word) + 1)), len_(len) {}
    void *data() const noexcept { return words_.get(); }
    std::size_t size() const noexcept { return len_; }

private:
    struct alignas(TBX_ALIGNMENT) word {
        unsigned char bytes[TBX_ALIGNMENT];
    };
    std::unique_ptr<word[]> words_;
    std::size_t len_ = 0;
};

/// The whole file, in memory of its own.
inline Bytes read_file(const std::string &path) {
    errno = 0;
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) {
        throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(), path);
    }
    const auto end = file.tellg();
    Bytes bytes(static_cast<std::size_t>(end));
    file.seekg(0);
    if (!file.read(static_cast<char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()))) {
        throw std::system_error(std::make_error_code(std::errc::io_error), path);
    }
    return bytes;
}

/// Which items a ranking may contain; the default is every item but those of the support.
struct Filter {
    const std::vector<std::uint32_t> *allow = nullptr; // ascending, distinct
    std::vector<std::uint32_t> deny = {};              // ascending, distinct
    std::vector<std::uint32_t> categories = {};
    bool keep_support = false;

    tbx_filter get() const noexcept {
        static const std::uint32_t nothing = 0;
        tbx_filter filter = {};
        if (allow) {
            filter.allow = allow->empty() ? &nothing : allow->data();
            filter.allow_len = allow->size();
        }
        filter.deny = deny.data();
        filter.deny_len = deny.size();
        filter.categories = categories.data();
        filter.categories_len = categories.size();
        filter.keep_support = keep_support;
        return filter;
    }
};

class Model {
public:
    /// Opens a file and keeps its bytes.
    explicit Model(Bytes file) : Model(file.data(), file.size()) { file_ = std::move(file); }

    /// Opens bytes that somebody else keeps: mapped, or linked in.
    Model(const void *file, std::size_t len) : memory_(tbx_model_size()) {
        check(tbx_open(file, len, memory_.data(), memory_.size(), &model_));
        check(tbx_model_shape(model_, &shape_));
    }

    void verify() const { check(tbx_verify(model_)); }
    const tbx_shape &shape() const noexcept { return shape_; }
    std::string_view card() const { return text(tbx_model_card); }
    std::string_view id(std::uint32_t item) const { return text(tbx_item_id, item); }

    /// Empty where the item has none.
    std::string_view title(std::uint32_t item) const {
        tbx_text title = {};
        const tbx_status status = tbx_item_title(model_, item, &title);
        if (status != TBX_STATUS_ABSENT) {
            check(status);
        }
        return {title.data, title.len};
    }

    std::uint32_t item(std::string_view id) const { return find(tbx_item, id); }
    std::uint32_t category(std::string_view name) const { return find(tbx_category, name); }
    std::uint32_t item_feature(std::string_view name) const { return find(tbx_item_feature, name); }
    std::uint32_t user_feature(std::string_view name) const { return find(tbx_user_feature, name); }
    std::string_view category_name(std::uint32_t category) const { return text(tbx_category_name, category); }

    std::vector<std::uint32_t> onboarding() const {
        const std::uint32_t *items = nullptr;
        std::size_t len = 0;
        check(tbx_onboarding(model_, &items, &len));
        return {items, items + len};
    }

    Interaction like(std::uint32_t item) const { return interaction(tbx_like, item); }
    Interaction dislike(std::uint32_t item) const { return interaction(tbx_dislike, item); }
    Interaction rate(std::uint32_t item, float rating) const { return interaction(tbx_rate, item, rating); }

    /// The row and the scale of an item that training never saw, for Session::add_items.
    std::pair<std::vector<std::int8_t>, float> embed_item(const std::vector<std::uint32_t> &features) const {
        std::vector<std::int8_t> row(shape_.dim);
        float scale = 0;
        check(tbx_embed_item(model_, features.data(), features.size(), row.data(), row.size(), &scale));
        return {std::move(row), scale};
    }

    const tbx_model *get() const noexcept { return model_; }

private:
    template <typename Call, typename... Arguments>
    std::string_view text(Call call, Arguments... arguments) const {
        tbx_text text = {};
        check(call(model_, arguments..., &text));
        return {text.data, text.len};
    }

    template <typename Call>
    std::uint32_t find(Call call, std::string_view name) const {
        std::uint32_t found = 0;
        check(call(model_, name.data(), name.size(), &found));
        return found;
    }

    template <typename Call, typename... Arguments>
    Interaction interaction(Call call, Arguments... arguments) const {
        Interaction made = {};
        check(call(model_, arguments..., &made));
        return made;
    }

    Bytes file_;
    Bytes memory_;
    const tbx_model *model_ = nullptr;
    tbx_shape shape_ = {};
};

class Session {
public:
    /// Of up to `capacity` interactions.
    Session(const Model &model, std::size_t capacity)
        : model_(model.get()), memory_(tbx_session_size(model.get(), capacity)) {
        check(tbx_session_new(model_, memory_.data(), memory_.size(), &session_));
    }

    void adapt(std::initializer_list<Interaction> support) { adapt(support.begin(), support.size()); }
    void adapt(const std::vector<Interaction> &support) { adapt(support.data(), support.size()); }
    void adapt(const Interaction *support, std::size_t len) { check(tbx_adapt(session_, support, len)); }

    void set_features(const std::vector<std::uint32_t> &features) {
        check(tbx_set_features(session_, features.data(), features.size()));
    }

    /// In place of what was added before. `rows`: items x dim. Both are kept.
    void add_items(std::vector<std::int8_t> rows, std::vector<float> scales) {
        tbx_shape shape = {};
        check(tbx_model_shape(model_, &shape));
        if (rows.size() != scales.size() * shape.dim) {
            throw Error(TBX_STATUS_ROW_LENGTH);
        }
        check(tbx_add_items(session_, rows.data(), scales.data(), scales.size()));
        rows_ = std::move(rows);
        scales_ = std::move(scales);
    }

    std::vector<Ranked> rank(std::size_t top, const Filter &filter = {}) const {
        const tbx_filter lent = filter.get();
        return list(top, [&](Ranked *out, std::size_t *len) {
            return tbx_rank(session_, &lent, out, top, len);
        });
    }

    std::vector<Ranked> rank_diverse(
        std::size_t top, std::size_t candidates, float diversity, const Filter &filter = {}) const {
        const tbx_filter lent = filter.get();
        const Bytes scratch(tbx_rank_diverse_size(model_, candidates));
        return list(candidates, [&](Ranked *out, std::size_t *len) {
            return tbx_rank_diverse(
                session_, &lent, diversity, top, scratch.data(), scratch.size(), out, candidates, len);
        });
    }

    std::vector<Ranked> similar(std::uint32_t item, std::size_t top, const Filter &filter = {}) const {
        const tbx_filter lent = filter.get();
        return list(top, [&](Ranked *out, std::size_t *len) {
            return tbx_similar(session_, item, &lent, out, top, len);
        });
    }

    float score(std::uint32_t item) const {
        float score = 0;
        check(tbx_score(session_, item, &score));
        return score;
    }

    std::vector<Reason> explain(std::uint32_t item, std::size_t top) {
        std::vector<Reason> reasons(top);
        std::size_t len = 0;
        check(tbx_explain(session_, item, reasons.data(), top, &len));
        reasons.resize(len);
        return reasons;
    }

    std::vector<float> user() const {
        const float *user = nullptr;
        std::size_t dim = 0;
        check(tbx_user(session_, &user, &dim));
        return {user, user + dim};
    }

    tbx_session *get() const noexcept { return session_; }

private:
    template <typename Call>
    static std::vector<Ranked> list(std::size_t capacity, Call call) {
        std::vector<Ranked> out(capacity);
        std::size_t len = 0;
        check(call(out.data(), &len));
        out.resize(len);
        return out;
    }

    const tbx_model *model_;
    Bytes memory_;
    tbx_session *session_ = nullptr;
    std::vector<std::int8_t> rows_;
    std::vector<float> scales_;
};

} // namespace tinderbox

#endif // TINDERBOX_HPP
