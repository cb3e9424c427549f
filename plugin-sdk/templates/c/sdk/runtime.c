/* What a C program expects around it, in a component that has neither a system nor a library: memory, and the six functions
 * that a compiler may call by itself. Written for compilers that do not take the loops below for calls of themselves
 * (-ffreestanding). */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

#define PAGE_BYTES 65536u
#define ALIGN_MAX 16u

/* The bytes that a call has before memory must grow, which costs more than the rest of a call together. Most requests with
 * their answers need a tenth of it. */
static _Alignas(ALIGN_MAX) uint8_t arena[64 * 1024];

/* The free addresses, and the newest block, which alone can grow where it stands. Nothing is given back, so what was not taken
 * yet is zero. */
static uint8_t *next = arena;
static uint8_t *end = arena + sizeof arena;
static uint8_t *newest = NULL;

_Noreturn void abort(void) { __builtin_trap(); }

/* Fresh pages for at least this many bytes. Doubling keeps the number of growths small for a request far above the usual. */
static void grow(size_t bytes) {
    size_t pages = bytes / PAGE_BYTES + 1;
    size_t half = __builtin_wasm_memory_size(0) / 2;
    if (pages < half) pages = half;
    size_t first = __builtin_wasm_memory_grow(0, pages);
    if (first == SIZE_MAX) abort();
    next = (uint8_t *)(first * PAGE_BYTES);
    /* The very last byte of the address space stays out of reach, so that an end never wraps to zero. */
    size_t left = SIZE_MAX - first * PAGE_BYTES;
    end = next + (left / PAGE_BYTES < pages ? left : pages * PAGE_BYTES);
}

/* Whether the block fits where it was put. */
static bool take(size_t align, size_t bytes) {
    size_t lost = (align - (size_t)next % align) % align;
    size_t left = (size_t)(end - next);
    if (lost > left || bytes > left - lost) return false;
    newest = next + lost;
    next = newest + bytes;
    return true;
}

static void *fresh(size_t align, size_t bytes) {
    if (!take(align, bytes)) {
        if (bytes > SIZE_MAX - PAGE_BYTES) abort();
        grow(bytes + align);
        if (!take(align, bytes)) abort();
    }
    return newest;
}

/* How the host asks for room for what it passes in. */
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *block, size_t old, size_t align, size_t bytes) {
    if (block == NULL || old == 0) return bytes == 0 ? (void *)align : fresh(align, bytes);
    if (bytes <= old) return block;
    if (block == newest && bytes <= (size_t)(end - newest)) {
        next = newest + bytes;
        return block;
    }
    return memcpy(fresh(align, bytes), block, old);
}

void *room_for(size_t count, size_t bytes_each) {
    size_t bytes;
    if (__builtin_mul_overflow(count, bytes_each, &bytes)) abort();
    return fresh(ALIGN_MAX, bytes);
}

/* With bulk memory these three are one instruction each. */

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) { return __builtin_memcpy(to, from, bytes); }

void *memmove(void *to, const void *from, size_t bytes) { return __builtin_memmove(to, from, bytes); }

void *memset(void *to, int byte, size_t bytes) { return __builtin_memset(to, byte, bytes); }

/* What a checked multiplication of 64 bits becomes: the 128 bits of two such numbers, with their signs. */
__int128 __multi3(__int128 one, __int128 other) {
    uint64_t a = (uint64_t)one, b = (uint64_t)other;
    uint64_t low = (a & 0xffffffffu) * (b & 0xffffffffu);
    uint64_t first = (a >> 32) * (b & 0xffffffffu) + (low >> 32);
    uint64_t second = (a & 0xffffffffu) * (b >> 32) + (first & 0xffffffffu);
    uint64_t high = (a >> 32) * (b >> 32) + (first >> 32) + (second >> 32);
    high += (uint64_t)((unsigned __int128)one >> 64) * b + a * (uint64_t)((unsigned __int128)other >> 64);
    return (__int128)((unsigned __int128)high << 64 | (second << 32 | (low & 0xffffffffu)));
}

int memcmp(const void *one, const void *other, size_t bytes) {
    const uint8_t *ours = one, *theirs = other;
    for (size_t i = 0; i < bytes; i++) {
        if (ours[i] != theirs[i]) return ours[i] < theirs[i] ? -1 : 1;
    }
    return 0;
}

size_t strlen(const char *words) {
    size_t bytes = 0;
    while (words[bytes] != 0) bytes++;
    return bytes;
}
