extern "C" {
#include "json.h"
}

#include <cstdlib>
#include <cstring>
#include <deque>
#include <simdjson.h>

namespace dom = simdjson::dom;

namespace
{

// A nested value that a json_value points to; a deque never moves its elements.
struct nested {
    dom::element element;
    json_reader *reader;
};

}  // namespace

struct json_reader {
    dom::parser parser;
    char *bytes = nullptr;  // copy of the text with SIMDJSON_PADDING behind it
    size_t room = 0;
    std::deque<nested> nested_values;
};

extern "C" json_reader *json_reader_new(void)
{
    auto *r = new json_reader;
    // simdjson refuses the depth it is given; an empty [] or {} does not count.
    if (r->parser.allocate(4096, JSON_DEPTH_MAX + 1) != simdjson::SUCCESS)
        abort();  // out of memory
    return r;
}

extern "C" void json_reader_free(json_reader *r)
{
    if (!r)
        return;
    free(r->bytes);
    delete r;
}

static const char *reason_of(simdjson::error_code code)
{
    switch (code) {
    case simdjson::EMPTY:
        return "it is empty";
    case simdjson::TAPE_ERROR:
        return "a comma, colon, quote or bracket is missing or out of place";
    case simdjson::STRING_ERROR:
        return "a text holds a bad escape";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
        return "a word is none of true, false and null";
    case simdjson::NUMBER_ERROR:
        return "a number is malformed or too large";
    case simdjson::UTF8_ERROR:
        return "it is not valid UTF-8";
    case simdjson::UNESCAPED_CHARS:
        return "a text holds a control character that is not escaped";
    case simdjson::UNCLOSED_STRING:
        return "the quote at the end of a text is missing";
    default:
        return simdjson::error_message(code);
    }
}

static outcome refuse(struct err *err, simdjson::error_code code)
{
    if (code == simdjson::DEPTH_ERROR)
        return err_set(err, OUTCOME_REJECT, "not JSON we read: nested more than %d deep",
                       int{ JSON_DEPTH_MAX });
    return err_set(err, OUTCOME_REJECT, "not JSON: %s", reason_of(code));
}

static const void *keep_nested(json_reader *r, const dom::element &element)
{
    r->nested_values.push_back({ element, r });
    return &r->nested_values.back();
}

static void fill_text(json_value *out, const dom::element &element)
{
    std::string_view text = element.get_string().value_unsafe();
    out->kind = JSON_STRING;
    out->text = text.data();
    out->len = text.size();
}

static void fill_number(json_value *out, const dom::element &element)
{
    if (element.is_int64()) {
        out->kind = JSON_INTEGER;
        out->integer = element.get_int64().value_unsafe();
        return;
    }
    out->kind = JSON_NUMBER;
    out->number = element.get_double().value_unsafe();
}

static void fill_value(json_value *out, json_reader *r, const dom::element &element)
{
    switch (element.type()) {
    case dom::element_type::STRING:
        fill_text(out, element);
        break;
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE:
        fill_number(out, element);
        break;
    case dom::element_type::BOOL:
        out->kind = JSON_BOOL;
        out->boolean = element.get_bool().value_unsafe();
        break;
    case dom::element_type::ARRAY:
        out->kind = JSON_ARRAY;
        out->node = keep_nested(r, element);
        break;
    case dom::element_type::OBJECT:
        out->kind = JSON_OBJECT;
        out->node = keep_nested(r, element);
        break;
    case dom::element_type::NULL_VALUE:
        out->kind = JSON_NULL;
        break;
    }
}

static outcome walk_object(json_reader *r, const dom::object &object, json_member *member,
                           void *arg, struct err *err)
{
    for (dom::key_value_pair pair : object) {
        json_value value = {};
        fill_value(&value, r, pair.value);
        outcome rc = member(arg, pair.key.data(), pair.key.size(), &value, err);
        if (rc != OUTCOME_OK)
            return rc;
    }
    return OUTCOME_OK;
}

static outcome walk_array(json_reader *r, const dom::array &array, json_member *member,
                          void *arg, struct err *err)
{
    for (dom::element element : array) {
        json_value value = {};
        fill_value(&value, r, element);
        outcome rc = member(arg, nullptr, 0, &value, err);
        if (rc != OUTCOME_OK)
            return rc;
    }
    return OUTCOME_OK;
}

static const char *name_of(const dom::element &element)
{
    switch (element.type()) {
    case dom::element_type::ARRAY:
        return "an array";
    case dom::element_type::STRING:
        return "a text";
    case dom::element_type::BOOL:
        return "true or false";
    case dom::element_type::NULL_VALUE:
        return "null";
    default:
        return "a number";
    }
}

// Copies the text to where simdjson may read behind its end.
static void copy_padded(json_reader *r, const char *bytes, size_t len)
{
    size_t wanted = len + simdjson::SIMDJSON_PADDING;
    if (wanted > r->room) {
        r->room = wanted < 4096 ? 4096 : wanted;
        r->bytes = static_cast<char *>(xrealloc(r->bytes, r->room));
    }
    if (len)
        memcpy(r->bytes, bytes, len);
    memset(r->bytes + len, ' ', simdjson::SIMDJSON_PADDING);
}

extern "C" outcome json_read(json_reader *r, const char *bytes, size_t len,
                             json_member *member, void *arg, struct err *err)
{
    dom::element top;
    dom::object object;

    r->nested_values.clear();
    copy_padded(r, bytes, len);
    auto code = r->parser.parse(r->bytes, len, false).get(top);
    if (code == simdjson::MEMALLOC)
        abort();
    if (code != simdjson::SUCCESS)
        return refuse(err, code);
    if (top.get_object().get(object) != simdjson::SUCCESS)
        return err_set(err, OUTCOME_REJECT,
                       "a JSON object in braces is needed, this is %s", name_of(top));
    return walk_object(r, object, member, arg, err);
}

extern "C" outcome json_each(const json_value *value, json_member *member, void *arg,
                             struct err *err)
{
    const auto *at = static_cast<const nested *>(value->node);
    dom::array array;
    dom::object object;

    if (at->element.get_object().get(object) == simdjson::SUCCESS)
        return walk_object(at->reader, object, member, arg, err);
    if (at->element.get_array().get(array) == simdjson::SUCCESS)
        return walk_array(at->reader, array, member, arg, err);
    return err_set(err, OUTCOME_REJECT, "neither a JSON object nor an array");
}
