/* The little of <stdlib.h> that bindings call. */
#ifndef REDRESS_SDK_STDLIB_H
#define REDRESS_SDK_STDLIB_H

#include <stddef.h>

_Noreturn void abort(void);

/* An instance lives for one call: nothing is given back, and the compiler leaves out the loops that would. */
static inline void free(void *block) { (void)block; }

/* There is none: only the `cabi_realloc` of the bindings names it, whose place that of runtime.c takes. */
void *realloc(void *block, size_t bytes);

#endif
