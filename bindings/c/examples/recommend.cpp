// The same as recommend.c, with the C++ wrapper, and with what raised each item.
//
//   c++ -std=c++17 recommend.cpp -I ../include -L LIBRARY_DIRECTORY -ltinderbox_c -o recommend
//   ./recommend movies.tbx +50 +181 -313
#include <cstdio>
#include <exception>
#include <string_view>
#include <tinderbox.hpp>
#include <vector>

namespace {

void print(const char *before, float value, std::string_view name) {
    std::printf("%s%6.3f %.*s\n", before, static_cast<double>(value), static_cast<int>(name.size()), name.data());
}

void recommend(const char *path, const std::vector<std::string_view> &feedback) {
    const tinderbox::Model model(tinderbox::read_file(path));
    model.verify();
    std::vector<tinderbox::Interaction> support;
    for (const std::string_view said : feedback) {
        const auto item = model.item(said.substr(1));
        support.push_back(said.front() == '-' ? model.dislike(item) : model.like(item));
    }
    tinderbox::Session session(model, support.size());
    session.adapt(support);
    for (const auto [item, score] : session.rank(10)) {
        print("", score, model.title(item));
        for (const auto [because, effect] : session.explain(item, 1)) {
            print("         ", effect, model.title(because));
        }
    }
}

} // namespace

int main(int count, char **arguments) {
    if (count < 2) {
        std::fputs("usage: recommend FILE [+ID | -ID]...\n", stderr);
        return 2;
    }
    try {
        recommend(arguments[1], {arguments + 2, arguments + count});
        return 0;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "recommend: %s\n", error.what());
        return 1;
    }
}
