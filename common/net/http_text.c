#include "net/http_text.h"

bool http_take_line(struct view *rest, struct view *line)
{
    *line = view_cut(rest, '\n');
    if (line->len == 0 || line->ptr[line->len - 1] != '\r')
        return false;
    line->len--;
    return true;
}

bool http_is_token(struct view v)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < v.len; i++) {
        char c = v.ptr[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && !(c && strchr(others, c)))
            return false;
    }
    return v.len > 0;
}

bool http_is_text(struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool http_has_word(struct view list, struct view word)
{
    while (list.len > 0)
        if (view_ieq(view_trim(view_cut(&list, ',')), word))
            return true;
    return false;
}
