/* Arrays of a size that is known at compile time. */
#ifndef CTIBUS_BASE_ARRAY_H
#define CTIBUS_BASE_ARRAY_H

/* The number of elements of an array; of a pointer it does not compile (-Wsizeof-pointer-div). */
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
