#include "fold.h"

#include <errno.h>
#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/utf8.h"

static bool is_ascii(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.ptr[i] >= 0x80)
            return false;
    return true;
}

static int fold_bytes(struct buf *out, struct view v)
{
    char *scratch = buf_reserve(out, v.len);

    if (!scratch)
        return -ENOMEM;
    for (size_t i = 0; i < v.len; i++) {
        char c = v.ptr[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c | 0x20);
        else if ((unsigned char)c < 0x20 || c == 0x7f)
            c = ' ';
        scratch[i] = c;
    }
    buf_commit(out, v.len);
    return 0;
}

/* All but the marks that a decomposition has set free. */
static int append_unmarked(struct buf *out, const uint8_t *text, size_t n)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n;) {
        ucs4_t c;
        int len = u8_mbtouc(&c, text + i, n - i);
        if (uc_combining_class(c) == 0)
            rc = c < 0x20 || (c >= 0x7f && c < 0xa0) ? buf_append_char(out, ' ')
                                                     : buf_append(out, text + i, (size_t)len);
        i += (size_t)len;
    }
    return rc;
}

int fold_text(struct buf *out, struct view v)
{
    uint8_t *folded;
    size_t n = 0;
    int rc;

    if (v.len == 0)
        return 0;
    if (is_ascii(v) || !utf8_valid(v)) /* most are the former, at a tenth of the cost */
        return fold_bytes(out, v);
    folded = u8_casefold((const uint8_t *)v.ptr, v.len, NULL, UNINORM_NFKD, NULL, &n);
    if (!folded)
        return -ENOMEM;
    rc = append_unmarked(out, folded, n);
    free(folded);
    return rc;
}
