// What the C++ wrapper adds to the C interface: that vectors fit, what null stands for, exceptions.
//
// wrapper FILE IMPLICIT: the model files of calls.c. Exits with 1 and a line where something is not so.
#include <cstdio>
#include <cstdlib>
#include <tinderbox.hpp>

#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            std::fprintf(stderr, "wrapper.cpp:%d: not so: %s\n", __LINE__, #condition); \
            std::exit(1);                                                             \
        }                                                                             \
    } while (0)

namespace {

using tinderbox::Model;
using tinderbox::Session;

template <typename Call>
tbx_status refusal(Call call) {
    try {
        call();
    } catch (const tinderbox::Error &error) {
        return error.status();
    }
    return TBX_STATUS_OK;
}

void names(const Model &model, const Model &implicit) {
    CHECK(model.item(model.id(3)) == 3);
    CHECK(model.category(model.category_name(0)) == 0);
    CHECK(!model.title(3).empty() && implicit.title(0).empty());
    CHECK(refusal([&] { model.title(model.shape().items); }) == TBX_STATUS_UNKNOWN_ITEM);
    CHECK(!model.onboarding().empty() && implicit.onboarding().empty());
}

void filters(const Model &model, const Session &session) {
    const std::vector<std::uint32_t> none, some = {2, 6};
    tinderbox::Filter filter;
    CHECK(session.rank(10, filter).size() == 10);
    filter.allow = &some;
    CHECK(session.rank(10, filter).size() == 2);
    filter.allow = &none;
    CHECK(session.rank(10, filter).empty());
    CHECK(session.rank_diverse(3, 10, 0.5F).size() == 3);
    CHECK(session.similar(0, 5).size() == 5);
    CHECK(session.user().size() == model.shape().dim);
}

void new_items(const Model &model, Session &session) {
    const std::uint32_t items = model.shape().items;
    auto [row, scale] = model.embed_item({0});
    const std::vector<std::int8_t> shorter(row.begin(), row.end() - 1);
    CHECK(refusal([&] { session.add_items(shorter, {scale}); }) == TBX_STATUS_ROW_LENGTH);
    CHECK(refusal([&] { session.add_items(row, {}); }) == TBX_STATUS_ROW_LENGTH);
    session.add_items(row, {scale});
    session.adapt({model.like(items)});
    CHECK(session.explain(0, 5).at(0).item == items);
    session.add_items({}, {});
    CHECK(refusal([&] { session.score(items); }) == TBX_STATUS_UNKNOWN_ITEM);
}

} // namespace

int main(int count, char **arguments) {
    CHECK(count == 3);
    const Model model(tinderbox::read_file(arguments[1])), implicit(tinderbox::read_file(arguments[2]));
    model.verify();
    Session session(model, 20);
    names(model, implicit);
    filters(model, session);
    new_items(model, session);
    CHECK(refusal([] { Model empty{tinderbox::Bytes(0)}; }) == TBX_STATUS_FILE_MAGIC);
    try {
        tinderbox::read_file("no such file");
    } catch (const std::system_error &) {
        return 0;
    }
    CHECK(!"a file that is not there was read");
}
