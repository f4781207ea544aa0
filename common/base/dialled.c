#include "base/dialled.h"

#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool on_a_keypad(char c)
{
    return (c >= '0' && c <= '9') || c == '#' || c == '*' || c == '+';
}

/* ---- numbers as people write them ---- */

#define A_NUMBER 6 /* so many digits are one: what follows after a blank does not belong to it */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool begins_with(struct view text, const char *word)
{
    size_t len = strlen(word);

    return text.len >= len && view_ieq(view_of(text.ptr, len), view_of(word, len));
}

/* tel:+33123456789;ext=5, sip:1002@example.net;user=phone: the number alone. */
static struct view without_scheme(struct view text)
{
    static const char *const schemes[] = {"tel:", "callto:", "sip:", "sips:"};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (begins_with(text, schemes[i])) {
            size_t len = strlen(schemes[i]);
            struct view rest = view_of(text.ptr + len, text.len - len);
            rest = view_cut(&rest, ';');
            return view_cut(&rest, '@');
        }
    return text;
}

/* A word that stands before the number of an extension. */
static bool is_extension(struct view rest)
{
    static const char *const words[] = {"x", "ext", "extension", "poste", "app", "dw", "int"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i]);
        if (begins_with(rest, words[i]) && (rest.len == len || !is_letter(rest.ptr[len])))
            return true;
    }
    return false;
}

/* After `digits` digits of a number: does what begins here no longer belong to it? An extension, a
 * comment, a second number. */
static bool ends_number(struct view text, size_t at, size_t digits)
{
    struct view rest = view_of(text.ptr + at, text.len - at);

    if (digits < 2)
        return false;
    if (rest.ptr[0] == '(' || rest.ptr[0] == '[' || rest.ptr[0] == '<')
        return rest.len > 1 && is_letter(rest.ptr[1]);
    if (rest.ptr[0] == '/' || rest.ptr[0] == ',' || rest.ptr[0] == ';')
        return digits >= A_NUMBER;
    if (!is_letter(rest.ptr[0]))
        return false;
    if (digits >= 3 && is_extension(rest))
        return true;
    return digits >= A_NUMBER && is_blank(text.ptr[at - 1]);
}

/* The number of what a user wrote. Names of extensions (letters before any digit) stay whole. */
static struct view number_of(struct view text)
{
    size_t digits = 0;

    text = without_scheme(text);
    for (size_t at = 0; at < text.len; at++) {
        if (digits == 0 && is_letter(text.ptr[at]))
            return text;
        if (ends_number(text, at, digits))
            return view_of(text.ptr, at);
        digits += is_digit(text.ptr[at]);
    }
    return text;
}

/* +49 (0)89: the trunk prefix is not dialled after the country's. */
static bool is_trunk_prefix(struct view text, size_t at)
{
    struct view begin = text;

    while (begin.len && is_blank(begin.ptr[0]))
        begin = view_of(begin.ptr + 1, begin.len - 1);
    return at > 0 && at + 1 < text.len && text.ptr[at] == '0' && text.ptr[at - 1] == '(' &&
           text.ptr[at + 1] == ')' && (begins_with(begin, "+") || begins_with(begin, "00"));
}

static bool copy(struct view text, bool letters, char *out, size_t size)
{
    size_t n = 0;

    text = number_of(text);
    out[0] = '\0';
    for (size_t i = 0; i < text.len; i++) {
        if (!on_a_keypad(text.ptr[i]) && !(letters && is_letter(text.ptr[i])))
            continue;
        if (is_trunk_prefix(text, i))
            continue;
        if (n == size - 1) {
            out[0] = '\0';
            return false;
        }
        out[n++] = text.ptr[i];
    }
    out[n] = '\0';
    return n > 0;
}

bool dialled(struct view text, char *out, size_t size)
{
    return copy(text, true, out, size);
}

bool dialled_digits(struct view text, char *out, size_t size)
{
    return copy(text, false, out, size);
}
