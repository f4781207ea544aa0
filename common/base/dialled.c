#include "base/dialled.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool on_a_keypad(char c)
{
    return (c >= '0' && c <= '9') || c == '#' || c == '*' || c == '+';
}

static bool copy(struct view text, bool letters, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < text.len; i++) {
        if (!on_a_keypad(text.ptr[i]) && !(letters && is_letter(text.ptr[i])))
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
