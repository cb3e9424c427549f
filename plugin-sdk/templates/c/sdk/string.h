/* The little of <string.h> that compilers and bindings call. */
#ifndef REDRESS_SDK_STRING_H
#define REDRESS_SDK_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);
int memcmp(const void *one, const void *other, size_t bytes);
size_t strlen(const char *words);

#endif
