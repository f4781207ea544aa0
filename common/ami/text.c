#include "ami/ami.h"
#include "base/utf8.h"

int ami_text(struct buf *out, struct view v, enum ami_charset fallback)
{
    if (utf8_valid(v))
        return buf_append_view(out, v);
    return fallback == AMI_CHARSET_LATIN1 ? utf8_from_latin1(out, v) : utf8_mend(out, v);
}
