/* Texts and lists: all of them lie where they stay when a function returns. */

#include <string.h>

#include "plugin.h"

redress_string_t text(const char *words) {
    /* Nobody writes to a text; the bindings only do not say so. */
    return (redress_string_t){(uint8_t *)words, strlen(words)};
}

redress_string_t number_text(int64_t number) {
    uint8_t digits[20];
    size_t first = sizeof digits;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--first] = (uint8_t)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) digits[--first] = '-';
    redress_string_t made = {NULL, sizeof digits - first};
    made.ptr = memcpy(room_for(made.len, 1), digits + first, made.len);
    return made;
}

bool same_text(redress_string_t one, redress_string_t other) {
    return one.len == other.len && memcmp(one.ptr, other.ptr, one.len) == 0;
}

bool text_is(redress_string_t one, const char *words) {
    for (size_t i = 0; i < one.len; i++) {
        /* A zero ends `words`, and may stand in a text. */
        if (words[i] == 0 || (uint8_t)words[i] != one.ptr[i]) return false;
    }
    return words[one.len] == 0;
}

redress_string_t join_texts(size_t count, const redress_string_t *texts) {
    redress_string_t joined = {NULL, 0};
    for (size_t i = 0; i < count; i++) joined.len += texts[i].len;
    joined.ptr = room_for(joined.len, 1);
    uint8_t *next = joined.ptr;
    for (size_t i = 0; i < count; i++) {
        memcpy(next, texts[i].ptr, texts[i].len);
        next += texts[i].len;
    }
    return joined;
}

redress_list_string_t list_texts(size_t count, const char *const *texts) {
    redress_list_string_t list = {room_for(count, sizeof(redress_string_t)), count};
    for (size_t i = 0; i < count; i++) list.ptr[i] = text(texts[i]);
    return list;
}

static void *copied(size_t count, size_t bytes_each, const void *from) {
    return memcpy(room_for(count, bytes_each), from, count * bytes_each);
}

redress_list_attribute_t list_attributes(size_t count, const redress_attribute_t *attributes) {
    return (redress_list_attribute_t){copied(count, sizeof *attributes, attributes), count};
}

redress_list_reason_t list_reasons(size_t count, const redress_reason_t *reasons) {
    return (redress_list_reason_t){copied(count, sizeof *reasons, reasons), count};
}

redress_list_part_t list_parts(size_t count, const redress_part_t *parts) {
    return (redress_list_part_t){copied(count, sizeof *parts, parts), count};
}
