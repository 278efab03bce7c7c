// The one C++ file: libphonenumber behind phone.h.
extern "C" {
#include "phone.h"
}

#include <cstdio>
#include <cstring>
#include <phonenumbers/phonenumberutil.h>
#include <string>
#include <vector>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

namespace
{

enum { TEXT_BYTES_MAX = 64, VERDICT_BITS = 16 };

const PhoneNumberUtil &library()
{
    return *PhoneNumberUtil::GetInstance();
}

// What is remembered of an E.164 text, which means the same in every region: a call to
// the library costs 10 to 70 us, this 0.1 us.
struct verdict {
    uint64_t key;  // 0: nothing yet
    char country[3];
    bool valid;
    int16_t calling_code;
};

// True if numbers that differ in the last three digits alone can have different verdicts.
// The metadata of libphonenumber 8.12.57 was searched for this: in all its patterns and
// national prefixes for numbers of 11 and more digits, calling code included, the last
// three are free, but for Spain, Colombia, Luxembourg, Estonia and Kiribati.
bool last_digits_decide(const std::string &e164)
{
    static const char *const codes[] = { "+34", "+57", "+352", "+372", "+686" };

    for (const char *code : codes)
        if (e164.compare(0, strlen(code), code) == 0)
            return true;
    return e164.size() < sizeof("+41791234567") - 1;
}

uint64_t verdict_key(const std::string &e164)
{
    size_t kept = last_digits_decide(e164) ? e164.size() : e164.size() - 3;
    uint64_t digits = 0;

    for (size_t i = 1; i < kept; i++)
        digits = digits * 10 + static_cast<uint64_t>(e164[i] - '0');
    return digits << 8 | e164.size();
}

// One cache (1 MB) for each thread that reads numbers, so there is no lock.
verdict &verdict_slot(uint64_t key)
{
    static thread_local std::vector<verdict> slots(1 << VERDICT_BITS);
    return slots[key * 0x9e3779b97f4a7c15 >> (64 - VERDICT_BITS)];  // Fibonacci hashing
}

const char *parse_complaint(PhoneNumberUtil::ErrorType error)
{
    switch (error) {
    case PhoneNumberUtil::NO_PARSING_ERROR:
        return nullptr;
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR:
        return "invalid country code";
    case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
        return "too short after the international prefix";
    case PhoneNumberUtil::TOO_SHORT_NSN:
        return "too short";
    case PhoneNumberUtil::TOO_LONG_NSN:
        return "too long";
    case PhoneNumberUtil::NOT_A_NUMBER:
        break;
    }
    return "not a number";
}

const char *possible_complaint(PhoneNumberUtil::ValidationResult result)
{
    switch (result) {
    case PhoneNumberUtil::IS_POSSIBLE:
        return nullptr;
    case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY:
        return "without its area code";
    case PhoneNumberUtil::INVALID_COUNTRY_CODE:
        return "invalid country code";
    case PhoneNumberUtil::TOO_SHORT:
        return "too short";
    case PhoneNumberUtil::TOO_LONG:
        return "too long";
    case PhoneNumberUtil::INVALID_LENGTH:
        break;
    }
    return "of a length that its country does not have";
}

// Reads text into number; returns what is wrong with it, or NULL.
const char *read_number(PhoneNumber *number, const std::string &text,
                        const std::string &region)
{
    const char *complaint = parse_complaint(library().Parse(text, region, number));
    if (!complaint)
        complaint = possible_complaint(library().IsPossibleNumberWithReason(*number));
    // E.164 has no room for an extension, and a switchboard reads no SMS.
    if (!complaint && number->has_extension())
        complaint = "a number with an extension";
    return complaint;
}

// Fills what the number says about its country.
void describe(phone *out, const PhoneNumber &number)
{
    std::string region;

    library().GetRegionCodeForNumber(number, &region);
    out->calling_code = number.country_code();
    out->valid = library().IsValidNumberForRegion(number, region);
    if (!out->valid)
        library().GetRegionCodeForCountryCode(out->calling_code, &region);
    if (region.size() == 2 && region != "ZZ")  // "001" is no country
        memcpy(out->country, region.c_str(), sizeof(out->country));
}

outcome refuse(struct err *err, const char *complaint)
{
    return err_set(err, OUTCOME_REJECT, "%s", complaint);
}

outcome parse(phone *out, const std::string &text, const std::string &region,
              struct err *err)
{
    PhoneNumber number;
    std::string e164;

    const char *complaint = read_number(&number, text, region);
    if (complaint)
        return refuse(err, complaint);

    library().Format(number, PhoneNumberUtil::E164, &e164);
    if (!phone_is_e164(e164.c_str()))
        return refuse(err, e164.size() < PHONE_E164_BYTES ? "too short" : "too long");

    phone made = {};
    memcpy(made.e164, e164.c_str(), e164.size() + 1);
    describe(&made, number);
    *out = made;
    return OUTCOME_OK;
}

// Fills out from the cache; returns false if the number is not in it.
bool recall(phone *out, const std::string &e164)
{
    uint64_t key = verdict_key(e164);
    const verdict &slot = verdict_slot(key);
    if (slot.key != key)
        return false;

    *out = {};
    memcpy(out->e164, e164.c_str(), e164.size() + 1);
    memcpy(out->country, slot.country, sizeof(out->country));
    out->calling_code = slot.calling_code;
    out->valid = slot.valid;
    return true;
}

void remember(const phone &p)
{
    uint64_t key = verdict_key(p.e164);
    verdict &slot = verdict_slot(key);

    slot.key = key;
    memcpy(slot.country, p.country, sizeof(slot.country));
    slot.calling_code = static_cast<int16_t>(p.calling_code);
    slot.valid = p.valid;
}

// noexcept: libphonenumber throws nothing of its own, and when memory is out the process
// stops here as everywhere.
outcome parse_cached(phone *out, const std::string &text, const std::string &region,
                     struct err *err) noexcept
{
    bool is_e164 = phone_is_e164(text.c_str());
    if (is_e164 && recall(out, text))
        return OUTCOME_OK;

    outcome rc = parse(out, text, region, err);
    // A national prefix may have been taken out: then the text was not the number.
    if (!rc && is_e164 && text == out->e164)
        remember(*out);
    return rc;
}

}  // namespace

enum outcome phone_parse(struct phone *out, const char *text, size_t len,
                         const char *region, struct err *err)
{
    if (len > TEXT_BYTES_MAX)
        return err_set(err, OUTCOME_REJECT, "longer than %d bytes", TEXT_BYTES_MAX);
    if (!utf8_is_valid(text, len))
        return refuse(err, "not a number: NUL, or bytes that are no UTF-8");
    return parse_cached(out, std::string(text, len), region, err);
}

bool phone_is_e164(const char *text)
{
    if (text[0] != '+' || text[1] < '1' || text[1] > '9')
        return false;
    size_t digits = strspn(text + 1, "0123456789");
    return digits >= 7 && digits <= 15 && text[1 + digits] == '\0';
}

bool phone_region_is_known(const char *region)
{
    return strlen(region) == 2 && library().GetCountryCodeForRegion(region) != 0;
}

void phone_hint(char out[PHONE_HINT_BYTES], const char *country, const char *e164)
{
    size_t len = strlen(e164);
    const char *tail = len > 3 ? e164 + len - 3 : e164;

    snprintf(out, PHONE_HINT_BYTES, "%.2s\u2026%s", country, tail);
}
