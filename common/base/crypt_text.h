/* Passwords as crypt(3) has them. */
#ifndef CTIBUS_BASE_CRYPT_TEXT_H
#define CTIBUS_BASE_CRYPT_TEXT_H

#include "base/view.h"

/* Has it the form of a hash of crypt(3): "$y$...$HASH", "$6$SALT$HASH", "$2b$12$HASH"? A password
 * that only begins so ("$money", "$6$abc") has not; whether the method is known here, crypt says.
 */
bool crypt_text_is_hash(struct view text);

#endif
