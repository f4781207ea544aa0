#include "console/foreign.h"

static const char http[] = "it looks like HTTP";

const char *foreign_bytes(struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.ptr[i];
        if ((c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
            return "it is no text (TLS, or another binary protocol)";
    }
    return NULL;
}

/* What a name of a method or of a header is made of. */
static bool is_token(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct view trim(struct view v)
{
    while (v.len && is_blank(*v.ptr)) {
        v.ptr++;
        v.len--;
    }
    while (v.len && is_blank(v.ptr[v.len - 1]))
        v.len--;
    return v;
}

/* "HTTP/1.1", "http/2", ... */
static bool is_version(struct view v)
{
    return v.len >= 6 && view_ieq(view_of(v.ptr, 5), VIEW("HTTP/")) && v.ptr[5] >= '0' &&
           v.ptr[5] <= '9';
}

static bool ends_with_version(struct view line)
{
    size_t at = line.len;

    while (at > 0 && !is_blank(line.ptr[at - 1]))
        at--;
    return at < line.len && is_version(view_of(line.ptr + at, line.len - at));
}

/* What a method asks for: "/path", "*", "http://host/path". */
static bool is_target(struct view v)
{
    struct view word = v;
    size_t n = 0;

    while (n < word.len && !is_blank(word.ptr[n]))
        n++;
    word.len = n;
    return word.len &&
           (*word.ptr == '/' || view_eq(word, VIEW("*")) || view_find(word, VIEW("://")) > 0);
}

const char *foreign_line(struct view line)
{
    struct view v = trim(line);
    size_t n = 0;

    while (n < v.len && is_token(v.ptr[n]))
        n++;
    if (n > 0 && n < v.len && v.ptr[n] == ':')
        return "it looks like a header of HTTP";
    if (ends_with_version(v))
        return http;
    if (n > 0 && n < v.len && is_blank(v.ptr[n]) && is_target(trim(view_of(v.ptr + n, v.len - n))))
        return http;
    return NULL;
}
