/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of TTLs. */
#include "engine/ttl_set.h"

#include <criterion/criterion.h>

Test(ttl_set, a_set_holds_what_was_added_and_nothing_else)
{
    static const uint8_t ttls[] = {0, 1, 63, 64, 127, 128, 191, 192, 255};
    struct ttl_set set = {0};
    for (size_t i = 0; i < sizeof ttls; i++) {
        ttl_set_add(&set, ttls[i]);
        unsigned count = 0;
        for (unsigned ttl = 0; ttl <= 255; ttl++)
            count += ttl_set_has(&set, ttl);
        cr_expect_eq(count, i + 1);
        cr_expect(ttl_set_has(&set, ttls[i]), "%u", ttls[i]);
        cr_expect_eq(ttl_set_highest(&set), ttls[i]);
    }
    for (size_t i = sizeof ttls; i-- > 0;) {
        unsigned below = i > 0 ? ttls[i - 1] : 0;
        ttl_set_cut(&set, below + 1); /* the lowest that takes this one and no other */
        cr_expect_not(i > 0 && ttl_set_has(&set, ttls[i]), "%u", ttls[i]);
        cr_expect(ttl_set_has(&set, below), "%u", below);
        cr_expect_eq(ttl_set_highest(&set), below);
    }
    ttl_set_cut(&set, 0);
    cr_expect_not(ttl_set_has(&set, 0));
}

Test(ttl_set, what_is_taken_from_a_set_is_not_in_it_and_the_rest_is)
{
    static const uint8_t ttls[] = {0, 1, 63, 64, 127, 128, 191, 192, 255};
    for (size_t i = 0; i < sizeof ttls; i++) {
        struct ttl_set set = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
        ttl_set_remove(&set, ttls[i]);
        ttl_set_remove(&set, ttls[i]); /* again: it stays out */
        for (unsigned ttl = 0; ttl <= 255; ttl++)
            cr_expect_eq(ttl_set_has(&set, ttl), ttl != ttls[i], "%u without %u", ttl, ttls[i]);
    }
}
